import { SightlineError } from '../common/errors.ts';
import type { Committer } from './committer.ts';
import type { Lane } from './lane.ts';
import type { LaneTable } from './lanes.ts';
import type { OutboxSink } from './options.ts';
import type { JournalThread } from './protocol.ts';
import { SinkReader } from './sink-reader.ts';
import type { TailCache } from './tail-cache.ts';

export interface SinksOptions {
  readonly lanes: LaneTable;
  readonly committer: Committer;
  readonly cache: TailCache;
  readonly journal: JournalThread;
  /** Records whose stored bytes are damaged or gone. */
  readonly onCorrupt: (firstSeq: number, count: number) => void;
}

/** Which sinks the outbox serves, and where each of them reads. They come and go while it runs. */
export class Sinks {
  readonly #options: SinksOptions;
  readonly #sinks = new Map<string, OutboxSink>();
  readonly #readers = new Map<string, SinkReader>();

  /** @param sinks those the lanes were made with */
  constructor(sinks: readonly OutboxSink[], options: SinksOptions) {
    this.#options = options;
    for (const sink of sinks) this.#serve(sink);
  }

  ids(): string[] {
    return [...this.#sinks.keys()];
  }

  /** False also for a sink that is gone. */
  isRequired(id: string): boolean {
    return this.#sinks.get(id)?.required ?? this.#sinks.has(id);
  }

  /** @throws SightlineError `SL_NOT_FOUND` */
  reader(id: string): SinkReader {
    const reader = this.#readers.get(id);
    if (reader === undefined) throw unknownSink(id);
    return reader;
  }

  /** @throws SightlineError `SL_CONFLICT` when there is one with the id */
  async add(sink: OutboxSink): Promise<void> {
    if (this.#sinks.has(sink.id)) {
      throw new SightlineError('SL_CONFLICT', `The outbox has a sink ${sink.id} already`);
    }
    const { committer, lanes } = this.#options;
    committer.closeRoutes();
    lanes.add(sink, committer.lastSeq);
    this.#serve(sink);
    await committer.commitState();
  }

  /** @throws SightlineError `SL_NOT_FOUND` */
  async remove(id: string): Promise<void> {
    this.reader(id).close();
    this.#readers.delete(id);
    this.#sinks.delete(id);
    await this.#leave(this.#options.lanes.orphan(id));
  }

  /**
   * Serves a sink that was changed, from the first record that has no fate yet; none passes it by meanwhile.
   * @throws SightlineError `SL_NOT_FOUND`
   */
  async replace(sink: OutboxSink): Promise<void> {
    this.reader(sink.id).close();
    const { committer, lanes } = this.#options;
    committer.closeRoutes();
    const left = lanes.orphan(sink.id);
    lanes.add(sink, committer.lastSeq);
    this.#serve(sink);
    await this.#leave(left);
  }

  /** @throws SightlineError `SL_NOT_FOUND` when the sink is in use or left nothing behind */
  async forget(id: string): Promise<void> {
    const removed = this.#options.lanes.removeOrphans(id);
    if (removed.length === 0) throw unknownSink(id);
    this.#options.committer.state.dropLanes(removed);
    await this.#options.committer.commitState();
  }

  /** Ends the lanes that no sink has taken up again. */
  async #leave(left: readonly Lane[]): Promise<void> {
    const { committer, lanes } = this.#options;
    // What was accepted for them is numbered by then; nothing that comes later is for them.
    await committer.flushed().catch(() => undefined);
    for (const lane of left) {
      if (!lane.orphaned) continue;
      lane.endSeq = committer.durableSeq;
      lane.dirty = true;
    }
    committer.state.dropLanes(lanes.removeOrphans());
    await committer.commitState();
  }

  #serve(sink: OutboxSink): void {
    const { lanes, cache, journal, committer, onCorrupt } = this.#options;
    this.#sinks.set(sink.id, sink);
    const reader = new SinkReader(lanes.ofSink(sink.id)!, {
      ...{ cache, journal, onCorrupt },
      durableSeq: () => committer.durableSeq,
    });
    this.#readers.set(sink.id, reader);
  }
}

export function unknownSink(id: string): SightlineError {
  return new SightlineError('SL_NOT_FOUND', `The outbox knows no sink ${id}`);
}
