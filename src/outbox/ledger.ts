import { RECORD_KINDS, type RecordKind } from '../common/delivery.ts';
import { lastSeqOf } from './chunk.ts';
import { Flushes } from './flushes.ts';
import { Histogram, SECONDS } from './histogram.ts';
import type { LaneTable } from './lanes.ts';
import type { CommitReply, CommitRequest, JournalState, ShedReason } from './protocol.ts';
import type { TailCache } from './tail-cache.ts';

type Stored = Pick<CommitRequest, 'chunks' | 'retried'>;

/** What the answers of the journal mean for lanes, counters and those who wait. */
export class Ledger {
  readonly #lanes: LaneTable;
  readonly #cache: TailCache;
  readonly #bytes: Record<RecordKind, number>;
  readonly #commitSeconds = new Histogram(SECONDS);
  readonly flushes = new Flushes();
  #durableSeq: number;
  #deadLettersDropped: number;

  constructor(state: JournalState, lanes: LaneTable, cache: TailCache) {
    this.#lanes = lanes;
    this.#cache = cache;
    this.#bytes = { ...state.storedBytes };
    this.#durableSeq = state.lastSeq;
    this.#deadLettersDropped = state.deadLettersDropped;
  }

  /** Every record up to here is on the disk or was given up. */
  get durableSeq(): number {
    return this.#durableSeq;
  }

  get storedBytes(): number {
    return RECORD_KINDS.reduce((sum, kind) => sum + this.#bytes[kind], 0);
  }

  figures() {
    return {
      bytes: this.storedBytes,
      bytesByKind: { ...this.#bytes },
      queuedRecords: this.flushes.queued,
      appended: this.flushes.appended,
      deadLettersDropped: this.#deadLettersDropped,
      commitSeconds: this.#commitSeconds.view(),
    };
  }

  take(request: CommitRequest, reply: CommitReply): void {
    for (const kind of RECORD_KINDS) this.#bytes[kind] -= reply.freed[kind];
    this.#deadLettersDropped = reply.deadLettersDropped;
    this.#commitSeconds.observe(reply.durationMs / 1000);
    if (reply.stored) this.#keep(request, reply.blobs);
    else {
      this.giveUp(request, reply.trouble?.reason ?? 'disk-error');
      for (const { data } of request.chunks) this.#cache.spares.put(data.buffer);
    }
    this.flushes.settle();
  }

  /** Records that were not stored are shed, or stay dead letters. */
  giveUp({ chunks, retried }: Stored, reason: ShedReason): void {
    for (const chunk of chunks) {
      for (const lane of this.#lanes.waitingFor(chunk)) {
        if (retried.length === 0) lane.shedUnstored(chunk.count, reason);
        else lane.unaccept(chunk.count);
      }
      if (retried.length === 0) this.flushes.gaveUp(chunk.count);
      this.#durableSeq = lastSeqOf(chunk);
    }
  }

  #keep({ chunks, retried }: Stored, bytes: CommitReply['blobs']): void {
    let next = 0;
    for (const chunk of chunks) {
      const { blobs, ...kept } = chunk;
      this.#cache.add(kept);
      const readers = blobs.length === 0 ? 0 : this.#lanes.waitingFor(chunk).length;
      for (const { seq } of blobs) this.#cache.blobs.add(seq, bytes[next++]!, readers);
      this.#bytes[chunk.kind] += chunk.bytes;
      if (retried.length === 0) this.flushes.stored(chunk.count);
      this.#durableSeq = lastSeqOf(chunk);
    }
  }
}
