import type { PendingRecord, RecordKind } from '../common/delivery.ts';
import { StoredRecord } from '../common/record-bytes.ts';
import { type Chunk, ChunkReader, type ChunkRecord, lastSeqOf } from './chunk.ts';
import type { Lane } from './lane.ts';
import type { JournalThread, ReadChunk } from './protocol.ts';
import { isFor } from './route.ts';
import { CHUNK_BYTES } from './spare-buffers.ts';
import type { TailCache } from './tail-cache.ts';

/** Of one read from the disk: as much as a sink takes at once, within these. */
const MIN_READ_BYTES = 1024 * 1024;
const MAX_READ_BYTES = 4 * 1024 * 1024;

export interface ReadLimits {
  readonly maxRecords: number;
  /** Sum of payload bytes; a single record may exceed it. */
  readonly maxBytes: number;
  /**
   * For a caller that makes copies: records are lent where they lie. One is good until a later call says that the caller
   * looks at none below a higher number.
   */
  readonly lentFrom?: number;
}

export interface ReaderOptions {
  readonly cache: TailCache;
  readonly journal: JournalThread;
  readonly durableSeq: () => number;
  /** Records whose stored bytes are damaged or gone. */
  readonly onCorrupt: (firstSeq: number, count: number) => void;
}

interface Lent {
  readonly chunk: Chunk;
  readonly isCached: boolean;
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
  /** Whether the current chunk is the cache's. */
  #isCached = false;
  #isLending = false;
  #isClosed = false;
  #backlog: ReadChunk[] = [];
  /** What comes after the backlog, on its way from the disk while the backlog is handed out. */
  #ahead: Promise<readonly ReadChunk[]> | undefined;
  #readBytes = MIN_READ_BYTES;
  /** Chunks whose records were lent, all of them handed out. */
  #lent: Lent[] = [];

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
    this.#isLending = limits.lentFrom !== undefined;
    if (limits.lentFrom !== undefined) this.#giveBack(limits.lentFrom);
    const records: ChunkRecord[] = [];
    let bytes = 0;
    while (records.length < limits.maxRecords && bytes < limits.maxBytes) {
      this.#current ??= await this.#nextChunk();
      if (this.#current === undefined || this.#isClosed) break;
      const before = records.length;
      bytes = this.#drain(this.#current, records, bytes, limits);
      if (this.#current.atEnd) this.#finishChunk(this.#current);
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

  #finishChunk({ chunk, isLent }: ChunkReader): void {
    if (isLent) this.#lent.push({ chunk, isCached: this.#isCached });
    this.#lanes.get(chunk.kind)!.passTo(lastSeqOf(chunk));
    this.#position = Math.max(this.#position, lastSeqOf(chunk));
    this.#current = undefined;
  }

  /** Nobody looks at records below `seq` any more. */
  #giveBack(seq: number): void {
    const isInUse = ({ chunk }: Lent): boolean => lastSeqOf(chunk) >= seq;
    for (const lent of this.#lent) if (!isInUse(lent)) this.#release(lent);
    this.#lent = this.#lent.filter(isInUse);
  }

  #release({ chunk, isCached }: Lent): void {
    if (isCached) this.#cache.giveBack(chunk);
    else this.#cache.spares.put(chunk.data.buffer);
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
      const lane = this.#lanes.get(chunk.kind)!;
      const isWanted = last > this.#position && isFor(chunk, lane.sinkId);
      if (isSound(chunk)) {
        if (isWanted) return this.#begin(chunk);
        this.#release({ chunk, isCached: this.#isCached });
      }
      if (last <= this.#position) continue;
      if (!isWanted) {
        lane.passTo(last);
        this.#position = last;
        continue;
      }
      lane.shedChunk(chunk.firstSeq, last, 'corrupt');
      this.#onCorrupt(chunk.firstSeq, chunk.count);
      this.#position = last;
    }
  }

  /** What is not lent is the caller's for good. */
  #begin(chunk: Chunk): ChunkReader {
    const isShared = chunk.data.buffer instanceof SharedArrayBuffer;
    if (this.#isLending || !isShared) return new ChunkReader(chunk, this.#isLending);
    const own = { ...chunk, data: chunk.data.slice() };
    this.#release({ chunk, isCached: this.#isCached });
    return new ChunkReader(own, false);
  }

  async #fetch(until: number): Promise<ReadChunk | undefined> {
    const ahead = await this.#takeAhead();
    this.#isCached = ahead.length === 0 && this.#cache.coversAfter(this.#position);
    if (this.#isCached) return this.#cache.firstAfter(this.#position, this.#kinds);
    const chunks = ahead.length > 0 ? ahead : await this.#readAfter(this.#position, until);
    this.#readAhead(chunks);
    this.#backlog = [...chunks];
    return this.#backlog.shift();
  }

  async #readAfter(afterSeq: number, untilSeq: number): Promise<readonly ReadChunk[]> {
    const maxBytes = this.#readBytes;
    const { spares } = this.#cache;
    const most = this.#isLending ? Math.ceil(maxBytes / CHUNK_BYTES) : 0;
    const memory = Array.from({ length: most }, () => spares.take(CHUNK_BYTES));
    const request = { kinds: this.#kinds, afterSeq, untilSeq, maxBytes, memory };
    const { chunks, used } = await this.#journal.call('read', request);
    for (const buffer of memory.slice(used)) spares.put(buffer);
    return chunks;
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

  async #withBlobs(records: ChunkRecord[]): Promise<PendingRecord[]> {
    if (records.every(isComplete)) return records;
    const spooled = records.filter((record) => !isComplete(record)).map(({ seq }) => seq);
    const payloads = new Map(spooled.map((seq) => [seq, this.#cache.blobs.take(seq)]));
    const missing = spooled.filter((seq) => payloads.get(seq) === undefined);
    const blobs = missing.length === 0 ? [] : await this.#journal.call('readBlobs', missing);
    for (const [index, seq] of missing.entries()) payloads.set(seq, blobs[index]);
    const complete: PendingRecord[] = [];
    for (const record of records) {
      if (this.#isClosed) return [];
      const payload = payloads.get(record.seq);
      if (isComplete(record)) complete.push(record);
      else if (payload !== undefined) complete.push({ ...record, payload });
      else {
        this.#lanes.get(record.kind)!.shedOpen([record.seq], 'corrupt');
        this.#onCorrupt(record.seq, 1);
      }
    }
    return complete;
  }
}

function isSound(chunk: ReadChunk): chunk is ReadChunk & Chunk {
  return chunk.data !== undefined;
}

function isComplete(record: ChunkRecord): record is ChunkRecord & PendingRecord {
  return record instanceof StoredRecord || record.payload !== undefined;
}
