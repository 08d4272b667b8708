import type { PendingRecord, RecordKind } from '../common/delivery.ts';
import { type Chunk, ChunkReader, type ChunkRecord, lastSeqOf } from './chunk.ts';
import type { Lane } from './lane.ts';
import type { JournalThread, ReadChunk } from './protocol.ts';
import { isFor } from './route.ts';
import type { TailCache } from './tail-cache.ts';

/** Of one read from the disk: as much as a sink takes at once, within these. */
const MIN_READ_BYTES = 1024 * 1024;
const MAX_READ_BYTES = 4 * 1024 * 1024;

export interface ReadLimits {
  readonly maxRecords: number;
  /** Sum of payload bytes; a single record may exceed it. */
  readonly maxBytes: number;
}

export interface ReaderOptions {
  readonly cache: TailCache;
  readonly journal: JournalThread;
  readonly durableSeq: () => number;
  /** Records whose stored bytes are damaged or gone. */
  readonly onCorrupt: (firstSeq: number, count: number) => void;
}

/** Hands a sink's records out in order of their sequence numbers: from memory while it keeps up, else from the disk. */
export class SinkReader {
  readonly #lanes: ReadonlyMap<RecordKind, Lane>;
  readonly #kinds: readonly RecordKind[];
  readonly #cache: TailCache;
  readonly #journal: JournalThread;
  readonly #durableSeq: () => number;
  readonly #onCorrupt: ReaderOptions['onCorrupt'];
  /** Every chunk up to here was handed out. */
  #position: number;
  #current: ChunkReader | undefined;
  #isClosed = false;
  #backlog: ReadChunk[] = [];
  /** What comes after the backlog, on its way from the disk while the backlog is handed out. */
  #ahead: Promise<readonly ReadChunk[]> | undefined;
  #readBytes = MIN_READ_BYTES;

  constructor(lanes: ReadonlyMap<RecordKind, Lane>, options: ReaderOptions) {
    this.#lanes = lanes;
    this.#kinds = [...lanes.keys()];
    this.#cache = options.cache;
    this.#journal = options.journal;
    this.#durableSeq = options.durableSeq;
    this.#onCorrupt = options.onCorrupt;
    this.#position = Math.min(...[...lanes.values()].map((lane) => lane.cursor));
  }

  /** Hands nothing out any more, also to a call that waits for the journal. */
  close(): void {
    this.#isClosed = true;
  }

  /** One call at a time. */
  async read(limits: ReadLimits): Promise<PendingRecord[]> {
    this.#readBytes = Math.max(MIN_READ_BYTES, Math.min(MAX_READ_BYTES, limits.maxBytes));
    const records: ChunkRecord[] = [];
    let bytes = 0;
    while (records.length < limits.maxRecords && bytes < limits.maxBytes) {
      this.#current ??= await this.#nextChunk();
      if (this.#current === undefined || this.#isClosed) break;
      const before = records.length;
      bytes = this.#drain(this.#current, records, bytes, limits);
      if (this.#current.atEnd) this.#finishChunk(this.#current.chunk);
      else if (records.length === before) break;
    }
    return this.#withBlobs(records);
  }

  /** Moves records that fit into `records`; returns the payload bytes of all of them. */
  #drain(reader: ChunkReader, records: ChunkRecord[], bytes: number, limits: ReadLimits): number {
    const lane = this.#lanes.get(reader.chunk.kind)!;
    let total = bytes;
    while (!reader.atEnd && records.length < limits.maxRecords) {
      if (!lane.wants(reader.nextSeq)) {
        reader.skip();
        continue;
      }
      const size = reader.peekPayloadBytes();
      if (records.length > 0 && total + size > limits.maxBytes) break;
      const record = reader.next();
      lane.handOut(record.seq, reader.chunk.storedMs);
      records.push(record);
      total += size;
    }
    return total;
  }

  #finishChunk(chunk: Chunk): void {
    this.#lanes.get(chunk.kind)!.passTo(lastSeqOf(chunk));
    this.#position = Math.max(this.#position, lastSeqOf(chunk));
    this.#current = undefined;
  }

  async #nextChunk(): Promise<ChunkReader | undefined> {
    for (;;) {
      const until = this.#durableSeq();
      const chunk = this.#backlog.shift() ?? (await this.#fetch(until));
      if (this.#isClosed) return undefined;
      if (chunk === undefined) {
        this.#passAll(until);
        return undefined;
      }
      const last = lastSeqOf(chunk);
      if (last <= this.#position) continue;
      const lane = this.#lanes.get(chunk.kind)!;
      if (!isFor(chunk, lane.sinkId)) {
        lane.passTo(last);
        this.#position = last;
        continue;
      }
      if (chunk.data !== undefined) return new ChunkReader({ ...chunk, data: chunk.data });
      lane.shedChunk(chunk.firstSeq, last, 'corrupt');
      this.#onCorrupt(chunk.firstSeq, chunk.count);
      this.#position = last;
    }
  }

  async #fetch(until: number): Promise<ReadChunk | undefined> {
    const ahead = await this.#takeAhead();
    if (ahead.length === 0 && this.#cache.coversAfter(this.#position)) {
      return this.#cache.firstAfter(this.#position, this.#kinds);
    }
    const chunks = ahead.length > 0 ? ahead : await this.#readAfter(this.#position, until);
    this.#readAhead(chunks);
    this.#backlog = [...chunks];
    return this.#backlog.shift();
  }

  #readAfter(afterSeq: number, untilSeq: number): Promise<readonly ReadChunk[]> {
    const maxBytes = this.#readBytes;
    return this.#journal.call('read', { kinds: this.#kinds, afterSeq, untilSeq, maxBytes });
  }

  /** A read may wait for a commit or two: it is asked for before it is needed. */
  #readAhead(chunks: readonly ReadChunk[]): void {
    const last = chunks.at(-1);
    if (last === undefined || this.#cache.coversAfter(lastSeqOf(last))) return;
    this.#ahead = this.#readAfter(lastSeqOf(last), this.#durableSeq());
    // Whoever takes it hears of it.
    this.#ahead.catch(() => undefined);
  }

  /** Empty also where it was asked for too early: that says nothing of what is there now. */
  async #takeAhead(): Promise<readonly ReadChunk[]> {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    return ahead === undefined ? [] : await ahead;
  }

  #passAll(until: number): void {
    this.#position = Math.max(this.#position, until);
    for (const lane of this.#lanes.values()) lane.passTo(until);
  }

  async #withBlobs(records: readonly ChunkRecord[]): Promise<PendingRecord[]> {
    const payloadOf = ({ seq, payload }: ChunkRecord) => payload ?? this.#cache.blobs.take(seq);
    const known = records.map(payloadOf);
    const spooled = records.filter((_, index) => known[index] === undefined).map(({ seq }) => seq);
    const blobs = spooled.length === 0 ? [] : await this.#journal.call('readBlobs', spooled);
    const payloads = new Map(spooled.map((seq, index) => [seq, blobs[index]]));
    const complete: PendingRecord[] = [];
    for (const [index, record] of records.entries()) {
      const payload = known[index] ?? payloads.get(record.seq);
      if (this.#isClosed) return [];
      if (payload !== undefined) complete.push({ ...record, payload });
      else {
        this.#lanes.get(record.kind)!.shedOpen([record.seq], 'corrupt');
        this.#onCorrupt(record.seq, 1);
      }
    }
    return complete;
  }
}
