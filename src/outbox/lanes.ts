import { byKind, type OutboxRecord, RECORD_KINDS, type RecordKind } from '../common/delivery.ts';
import type { ChunkHeader } from './chunk.ts';
import { Lane } from './lane.ts';
import type { OutboxSink } from './options.ts';
import type { SeqRange, StoredLane } from './protocol.ts';
import { isFor } from './route.ts';

/** All lanes of an outbox: those of its sinks, and those that sinks of an earlier configuration left behind. */
export class LaneTable {
  readonly all: Lane[];
  readonly #bySink = new Map<string, Map<RecordKind, Lane>>();
  readonly #active = byKind((): Lane[] => []);
  /** Set while a lane of the kind is orphaned: new records must say that they are not for it. */
  readonly #named: Record<RecordKind, readonly string[] | undefined>;

  constructor(sinks: readonly OutboxSink[], stored: readonly StoredLane[], lastSeq: number) {
    this.#named = byKind(() => undefined);
    this.all = stored.map((row) => {
      const lane = Lane.restore(row);
      lane.reconcile();
      lane.orphaned = true;
      lane.endSeq = Math.min(lane.endSeq, lastSeq);
      lane.dirty = true;
      return lane;
    });
    for (const sink of sinks) this.add(sink, lastSeq);
    this.#sort();
  }

  /**
   * Gives a sink its lanes: those it left behind, else new ones for what comes after `lastSeq`. Records that were
   * accepted before and are not numbered yet must be routed before the call.
   */
  add({ id, kinds }: OutboxSink, lastSeq: number): void {
    const lanes = new Map<RecordKind, Lane>();
    for (const kind of kinds) {
      let lane = this.all.find((other) => other.sinkId === id && other.kind === kind);
      if (lane === undefined) {
        lane = new Lane(id, kind, lastSeq);
        this.all.push(lane);
      }
      lane.orphaned = false;
      lane.endSeq = Number.POSITIVE_INFINITY;
      lane.dirty = true;
      lanes.set(kind, lane);
    }
    this.#bySink.set(id, lanes);
    this.#sort();
  }

  /** Leaves the lanes of a sink behind; what was handed out goes back. Returns them. */
  orphan(sinkId: string): Lane[] {
    const lanes = [...(this.#bySink.get(sinkId)?.values() ?? [])];
    for (const lane of lanes) {
      lane.rewind();
      lane.orphaned = true;
      lane.dirty = true;
    }
    this.#bySink.delete(sinkId);
    this.#sort();
    return lanes;
  }

  /** The lanes a new record is accepted for. */
  takers({ kind, sinks }: Pick<OutboxRecord, 'kind' | 'sinks'>): readonly Lane[] {
    const active = this.#active[kind];
    return sinks === undefined ? active : active.filter(({ sinkId }) => sinks.includes(sinkId));
  }

  /** The ids to store with a record that `takers` accepted it for; undefined where that goes without saying. */
  routeOf({ kind, sinks }: OutboxRecord, takers: readonly Lane[]): readonly string[] | undefined {
    return sinks === undefined ? this.#named[kind] : takers.map(({ sinkId }) => sinkId);
  }

  /** Ids of the sinks that take a kind now. */
  sinksOf(kind: RecordKind): string[] {
    return this.#active[kind].map(({ sinkId }) => sinkId);
  }

  /** The lanes a chunk that is not durable yet was accepted for. */
  waitingFor(chunk: ChunkHeader): Lane[] {
    return this.all.filter(
      (lane) =>
        lane.kind === chunk.kind &&
        lane.cursor < chunk.firstSeq &&
        chunk.firstSeq <= lane.endSeq &&
        isFor(chunk, lane.sinkId),
    );
  }

  ofSink(sinkId: string): ReadonlyMap<RecordKind, Lane> | undefined {
    return this.#bySink.get(sinkId);
  }

  /** Ids of sinks that are gone but left records behind. */
  orphans(): string[] {
    const ids = this.all.filter((lane) => lane.orphaned).map((lane) => lane.sinkId);
    return [...new Set(ids)].filter((id) => !this.#bySink.has(id));
  }

  /** Where no lane waits for the kind any more, up to `durableSeq`. */
  free(kind: RecordKind, durableSeq: number): SeqRange[] {
    const lanes = this.all.filter((lane) => lane.kind === kind).sort((a, b) => a.cursor - b.cursor);
    const ranges: SeqRange[] = [];
    let after = 0;
    for (const lane of lanes) {
      const upTo = Math.min(lane.cursor, durableSeq);
      if (upTo > after) ranges.push({ after, upTo });
      after = Math.max(after, lane.endSeq);
    }
    if (after < durableSeq) ranges.push({ after, upTo: durableSeq });
    return ranges;
  }

  /** Removes lanes of sinks that are gone, `sinkId`'s or those that wait for nothing more; returns them. */
  removeOrphans(sinkId?: string): Lane[] {
    const removed = this.all.filter(
      (lane) =>
        lane.orphaned && (sinkId === undefined ? lane.pending === 0 : lane.sinkId === sinkId),
    );
    if (removed.length === 0) return removed;
    for (const lane of removed) this.all.splice(this.all.indexOf(lane), 1);
    this.#sort();
    return removed;
  }

  #sort(): void {
    for (const kind of RECORD_KINDS) {
      const lanes = this.all.filter((lane) => lane.kind === kind);
      this.#active[kind] = lanes.filter((lane) => !lane.orphaned);
      const hasOrphans = this.#active[kind].length < lanes.length;
      this.#named[kind] = hasOrphans ? this.sinksOf(kind) : undefined;
    }
  }
}
