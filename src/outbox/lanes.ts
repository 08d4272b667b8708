import type { RecordKind } from '../common/delivery.ts';
import { Lane } from './lane.ts';
import type { OutboxSink } from './options.ts';
import type { StoredLane } from './protocol.ts';

/** All lanes of an outbox: those of its sinks, and those that sinks of an earlier configuration left behind. */
export class LaneTable {
  readonly all: Lane[];
  readonly #active: Readonly<Record<RecordKind, readonly Lane[]>>;
  readonly #bySink = new Map<string, Map<RecordKind, Lane>>();

  constructor(sinks: readonly OutboxSink[], stored: readonly StoredLane[], lastSeq: number) {
    const known = new Map(stored.map((row) => [key(row.sinkId, row.kind), row]));
    this.all = [];
    for (const { id, kinds } of sinks) {
      const lanes = new Map<RecordKind, Lane>();
      this.#bySink.set(id, lanes);
      for (const kind of kinds) {
        const row = known.get(key(id, kind));
        known.delete(key(id, kind));
        const lane = row === undefined ? new Lane(id, kind, lastSeq) : resume(row);
        lane.dirty = true;
        lanes.set(kind, lane);
        this.all.push(lane);
      }
    }
    for (const row of known.values()) this.all.push(orphan(row));
    this.#active = {
      frame: this.#activeOf('frame'),
      image: this.#activeOf('image'),
      event: this.#activeOf('event'),
    };
  }

  /** The lanes new records of a kind are accepted for. */
  active(kind: RecordKind): readonly Lane[] {
    return this.#active[kind];
  }

  ofSink(sinkId: string): ReadonlyMap<RecordKind, Lane> | undefined {
    return this.#bySink.get(sinkId);
  }

  /** Ids of sinks that are gone but left records behind. */
  orphans(): string[] {
    return [...new Set(this.all.filter((lane) => lane.orphaned).map((lane) => lane.sinkId))];
  }

  /** Up to where no lane waits for the kind any more. */
  floor(kind: RecordKind, durableSeq: number): number {
    let floor = durableSeq;
    for (const lane of this.all) if (lane.kind === kind) floor = Math.min(floor, lane.cursor);
    return floor;
  }

  /** Removes lanes of sinks that are gone, `sinkId`'s or those that wait for nothing more; returns them. */
  removeOrphans(sinkId?: string): Lane[] {
    const removed = this.all.filter(
      (lane) =>
        lane.orphaned && (sinkId === undefined ? lane.pending === 0 : lane.sinkId === sinkId),
    );
    for (const lane of removed) this.all.splice(this.all.indexOf(lane), 1);
    return removed;
  }

  #activeOf(kind: RecordKind): Lane[] {
    return this.all.filter((lane) => lane.kind === kind && !lane.orphaned);
  }
}

function key(sinkId: string, kind: RecordKind): string {
  return `${kind}/${sinkId}`;
}

/**
 * A lane that comes back after it was orphaned takes what is still stored since it left. One that was there all the
 * time must add up; records its counters know and the chunks do not are counted as missing.
 */
function resume(row: StoredLane): Lane {
  const lane = Lane.restore(row);
  lane.orphaned = false;
  if (row.orphaned) lane.rebase();
  else lane.reconcile();
  return lane;
}

function orphan(row: StoredLane): Lane {
  const lane = Lane.restore(row);
  if (!row.orphaned) lane.reconcile();
  lane.orphaned = true;
  lane.dirty = true;
  return lane;
}
