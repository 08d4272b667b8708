import type { RecordKind } from '../common/delivery.ts';
import { type ChunkHeader, lastSeqOf } from './chunk.ts';
import type { Lane } from './lane.ts';
import type { JournalThread, ShedReason } from './protocol.ts';
import { isFor } from './route.ts';

const CHUNKS_PER_STEP = 64;
/** How far one step looks past what required sinks wait for. */
const PAGES_PER_STEP = 8;

interface Stage {
  readonly kind: RecordKind;
  /** Only what no required sink waits for. */
  readonly spareRequired: boolean;
}

/**
 * What is given up first, in this order and the oldest first: pictures; what only best-effort sinks and sinks that are
 * gone wait for; indexes of recorded files; frames. Events of required sinks are not: new ones are refused instead.
 */
const STAGES: readonly Stage[] = [
  { kind: 'image', spareRequired: false },
  { kind: 'segment', spareRequired: true },
  { kind: 'frame', spareRequired: true },
  { kind: 'event', spareRequired: true },
  { kind: 'segment', spareRequired: false },
  { kind: 'frame', spareRequired: false },
];

/** What may be given up for their age. */
const BY_AGE: readonly RecordKind[] = ['image', 'segment', 'frame', 'event'];

export interface BoundsOptions {
  readonly journal: JournalThread;
  readonly lanes: () => readonly Lane[];
  readonly isRequired: (lane: Lane) => boolean;
}

/** Gives up records that the bounds of the outbox have no room for. */
export class Bounds {
  readonly #options: BoundsOptions;

  constructor(options: BoundsOptions) {
    this.#options = options;
  }

  /** Gives up chunks until `bytes` can be deleted, as far as one step goes. Returns the bytes. */
  async shedBytes(bytes: number, reason: ShedReason): Promise<number> {
    let freed = 0;
    for (const stage of STAGES) {
      if (freed >= bytes) return freed;
      freed += await this.#shedStage(stage, bytes - freed, reason);
    }
    return freed;
  }

  /** Gives up the oldest pictures, whose files take inodes. Returns the bytes. */
  shedPictures(reason: ShedReason): Promise<number> {
    return this.#shedStage(STAGES[0]!, Number.POSITIVE_INFINITY, reason);
  }

  /** Gives up chunks stored before `beforeMs`, at most a bounded number in one step. Returns how many. */
  async shedOlderThan(beforeMs: number): Promise<number> {
    let count = 0;
    for (const kind of BY_AGE) {
      for (const chunk of await this.#headers(kind, 0)) {
        if (chunk.storedMs >= beforeMs) break;
        this.#shed(chunk, 'age');
        count++;
      }
    }
    return count;
  }

  async #shedStage(
    { kind, spareRequired }: Stage,
    bytes: number,
    reason: ShedReason,
  ): Promise<number> {
    let freed = 0;
    let afterSeq = 0;
    /** Lanes that keep an earlier chunk: what they have to hand out stays in one piece. */
    const holding = new Set<Lane>();
    for (let page = 0; page < (spareRequired ? PAGES_PER_STEP : 1); page++) {
      const chunks = await this.#headers(kind, afterSeq);
      for (const chunk of chunks) {
        if (freed >= bytes) return freed;
        afterSeq = chunk.firstSeq;
        const takers = this.#behind(chunk).filter((lane) => isFor(chunk, lane.sinkId));
        const isWanted = takers.some((lane) => holding.has(lane) || this.#options.isRequired(lane));
        if (spareRequired && isWanted) {
          for (const lane of takers) holding.add(lane);
          continue;
        }
        this.#shed(chunk, reason, holding);
        freed += chunk.bytes;
      }
      if (chunks.length < CHUNKS_PER_STEP || freed > 0) return freed;
    }
    return freed;
  }

  #headers(kind: RecordKind, afterSeq: number): Promise<readonly ChunkHeader[]> {
    return this.#options.journal.call('headers', { kind, afterSeq, limit: CHUNKS_PER_STEP });
  }

  /** Lanes it is not for lose nothing with it. */
  #shed(chunk: ChunkHeader, reason: ShedReason, holding: ReadonlySet<Lane> = new Set()): void {
    const last = lastSeqOf(chunk);
    for (const lane of this.#behind(chunk)) {
      if (isFor(chunk, lane.sinkId)) lane.shedChunk(chunk.firstSeq, last, reason);
      else if (!holding.has(lane)) lane.passTo(last);
    }
  }

  #behind(chunk: ChunkHeader): Lane[] {
    const last = lastSeqOf(chunk);
    return this.#options.lanes().filter((lane) => lane.kind === chunk.kind && lane.cursor < last);
  }
}
