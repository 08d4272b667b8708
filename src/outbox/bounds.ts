import type { RecordKind } from '../common/delivery.ts';
import { type ChunkHeader, lastSeqOf } from './chunk.ts';
import type { Lane } from './lane.ts';
import type { JournalThread, ShedReason } from './protocol.ts';
import { isFor } from './route.ts';

const CHUNKS_PER_STEP = 64;

/** What is given up first: pictures, then frames; events last. */
const ORDER: readonly RecordKind[] = ['image', 'frame', 'event'];

/**
 * Gives up records when the outbox outgrows its bounds: first what only best-effort sinks and sinks that are gone
 * still wait for, then everybody's, in both cases pictures before frames before events and the oldest first.
 */
export class Bounds {
  readonly #journal: JournalThread;
  readonly #lanes: () => readonly Lane[];
  readonly #isRequired: (lane: Lane) => boolean;

  constructor(
    journal: JournalThread,
    lanes: () => readonly Lane[],
    isRequired: (lane: Lane) => boolean,
  ) {
    this.#journal = journal;
    this.#lanes = lanes;
    this.#isRequired = isRequired;
  }

  /** Gives up chunks until `bytes` can be deleted, as far as one step goes. Returns the bytes. */
  async shedBytes(bytes: number): Promise<number> {
    let freed = 0;
    for (const includeRequired of [false, true]) {
      for (const kind of ORDER) {
        if (freed >= bytes) return freed;
        freed += await this.#shedKind(kind, bytes - freed, includeRequired);
      }
    }
    return freed;
  }

  /** Gives up chunks stored before `beforeMs` (wall), at most a bounded number in one step. Returns how many. */
  async shedOlderThan(beforeMs: number): Promise<number> {
    let count = 0;
    for (const kind of ORDER) {
      const chunks = await this.#journal.call('oldest', { kind, limit: CHUNKS_PER_STEP });
      for (const chunk of chunks) {
        if (chunk.storedMs >= beforeMs) break;
        this.#shed(chunk, 'age');
        count++;
      }
    }
    return count;
  }

  async #shedKind(kind: RecordKind, bytes: number, includeRequired: boolean): Promise<number> {
    let freed = 0;
    const chunks = await this.#journal.call('oldest', { kind, limit: CHUNKS_PER_STEP });
    for (const chunk of chunks) {
      if (freed >= bytes) break;
      const waits = this.#behind(chunk).some(
        (lane) => isFor(chunk, lane.sinkId) && this.#isRequired(lane),
      );
      if (!includeRequired && waits) break;
      this.#shed(chunk, 'bytes');
      freed += chunk.bytes;
    }
    return freed;
  }

  /** Lanes it is not for lose nothing with it. */
  #shed(chunk: ChunkHeader, reason: ShedReason): void {
    const last = lastSeqOf(chunk);
    for (const lane of this.#behind(chunk)) {
      if (isFor(chunk, lane.sinkId)) lane.shedChunk(chunk.firstSeq, last, reason);
      else lane.passTo(last);
    }
  }

  #behind(chunk: ChunkHeader): Lane[] {
    const last = lastSeqOf(chunk);
    return this.#lanes().filter((lane) => lane.kind === chunk.kind && lane.cursor < last);
  }
}
