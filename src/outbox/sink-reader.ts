import type { PendingRecord, RecordKind } from '../common/delivery.ts';
import { type Chunk, ChunkReader, type ChunkRecord, lastSeqOf } from './chunk.ts';
import type { Lane } from './lane.ts';
import type { JournalThread, ReadChunk } from './protocol.ts';
import { isFor } from './route.ts';
import type { TailCache } from './tail-cache.ts';

const READ_BYTES = 1024 * 1024;

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
    if (this.#cache.coversAfter(this.#position)) {
      return this.#cache.firstAfter(this.#position, this.#kinds);
    }
    const chunks = await this.#journal.call('read', {
      kinds: this.#kinds,
      afterSeq: this.#position,
      untilSeq: until,
      maxBytes: READ_BYTES,
    });
    this.#backlog = [...chunks];
    return this.#backlog.shift();
  }

  #passAll(until: number): void {
    this.#position = Math.max(this.#position, until);
    for (const lane of this.#lanes.values()) lane.passTo(until);
  }

  async #withBlobs(records: readonly ChunkRecord[]): Promise<PendingRecord[]> {
    const spooled = records.filter((record) => record.payload === undefined);
    if (spooled.length === 0) return records.filter(isComplete);
    const blobs = await this.#journal.call(
      'readBlobs',
      spooled.map((record) => record.seq),
    );
    const payloads = new Map(spooled.map((record, index) => [record.seq, blobs[index]]));
    const complete: PendingRecord[] = [];
    for (const record of records) {
      const payload = record.payload ?? payloads.get(record.seq);
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

function isComplete(record: ChunkRecord): record is ChunkRecord & PendingRecord {
  return record.payload !== undefined;
}
