import { byKind, type OutboxRecord, RECORD_KINDS, type RecordKind } from '../common/delivery.ts';
import { overheadBytes, writeRecord } from '../common/record-bytes.ts';
import type { NewChunk } from './protocol.ts';
import { parseRoute, type Route, routeText } from './route.ts';
import { SpareBuffers } from './spare-buffers.ts';

/** Collects records in memory until the journal takes them, one run of chunks per kind and set of sinks. */
export class Gather {
  readonly #inlineBytes: number;
  readonly #writers: Readonly<Record<RecordKind, KindWriter>>;
  #records = 0;
  #bytes = 0;
  #spooledBytes = 0;

  /**
   * @param inlineBytes payloads above this go to the blob spool
   * @param spares memory to use again; default new memory
   */
  constructor(inlineBytes: number, spares = new SpareBuffers()) {
    this.#inlineBytes = inlineBytes;
    this.#writers = byKind(() => new KindWriter(spares));
  }

  get records(): number {
    return this.#records;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Of `bytes`, those that go to the blob spool. */
  get spooledBytes(): number {
    return this.#spooledBytes;
  }

  /** Copies the record. `route`: the sinks it is for. */
  add(record: OutboxRecord, route: Route): void {
    const inSpool = record.payload.byteLength > this.#inlineBytes;
    this.#bytes += this.#writers[record.kind].add(record, inSpool, route);
    if (inSpool) this.#spooledBytes += record.payload.byteLength;
    this.#records++;
  }

  /** Names the sinks of what was gathered for all that take the kind, before others come to take it too. */
  nameSinks(kind: RecordKind, sinks: readonly string[]): void {
    this.#writers[kind].nameSinks(sinks);
  }

  /**
   * Hands over what was gathered, numbered from `firstSeq`: all of it, or about `maxBytes`. Within a kind records of a
   * stream keep the order of `add`; kinds follow each other.
   */
  take(firstSeq: number, storedMs: number, maxBytes: number): NewChunk[] {
    let nextSeq = firstSeq;
    let taken = 0;
    const chunks: NewChunk[] = [];
    for (const kind of RECORD_KINDS) {
      while (taken < maxBytes) {
        const sealed = this.#writers[kind].take();
        if (sealed === undefined) break;
        const { count, bytes, data, blobs, sinks } = sealed;
        const first = nextSeq;
        nextSeq += count;
        taken += bytes;
        this.#spooledBytes -= bytes - data.byteLength;
        chunks.push({
          kind,
          firstSeq: first,
          count,
          bytes,
          storedMs,
          ...(sinks === undefined ? {} : { sinks }),
          data,
          blobs: blobs.map(({ index, data: blob }) => ({ seq: first + index, data: blob })),
        });
      }
    }
    this.#records -= nextSeq - firstSeq;
    this.#bytes -= taken;
    return chunks;
  }
}

interface Sealed {
  readonly count: number;
  /** Of the records and their blobs. */
  readonly bytes: number;
  readonly data: Uint8Array;
  readonly blobs: readonly { readonly index: number; readonly data: Uint8Array }[];
  sinks: Route;
}

/** The records of one kind: a writer for each set of sinks, and what they have sealed, in order. */
class KindWriter {
  readonly #sealed: Sealed[] = [];
  readonly #writers = new Map<string | undefined, ChunkWriter>();
  /** Where each stream's records went since the last seal of all. */
  readonly #routes = new Map<string, string | undefined>();
  #lastRoute: { readonly sinks: Route; readonly text: string | undefined } | undefined;
  readonly #spares: SpareBuffers;

  constructor(spares: SpareBuffers) {
    this.#spares = spares;
  }

  /** Returns the bytes the record takes in memory. */
  add(record: OutboxRecord, inSpool: boolean, sinks: Route): number {
    const { streamId } = record;
    const route = this.#textOf(sinks);
    // A stream whose sinks change keeps its order: what came before is numbered before.
    if (this.#routes.has(streamId) && this.#routes.get(streamId) !== route) this.#sealAll();
    this.#routes.set(streamId, route);
    let writer = this.#writers.get(route);
    if (writer === undefined) {
      writer = new ChunkWriter(parseRoute(route), this.#sealed, this.#spares);
      this.#writers.set(route, writer);
    }
    return writer.add(record, inSpool);
  }

  /** The oldest run, also one that is not full yet; undefined when there is none. */
  take(): Sealed | undefined {
    if (this.#sealed.length === 0) this.#sealAll();
    return this.#sealed.shift();
  }

  nameSinks(sinks: readonly string[]): void {
    this.#sealAll();
    for (const sealed of this.#sealed) sealed.sinks ??= sinks;
  }

  /** Most records come with the very list of the one before. */
  #textOf(sinks: Route): string | undefined {
    if (sinks === undefined) return undefined;
    if (this.#lastRoute?.sinks !== sinks) this.#lastRoute = { sinks, text: routeText(sinks) };
    return this.#lastRoute.text;
  }

  #sealAll(): void {
    for (const [route, writer] of this.#writers) {
      writer.seal();
      // Sets of sinks come and go; the usual one keeps its buffer.
      if (route !== undefined) this.#writers.delete(route);
    }
    this.#routes.clear();
  }
}

class ChunkWriter {
  readonly #sinks: Route;
  readonly #sealed: Sealed[];
  readonly #spares: SpareBuffers;
  #buffer: Buffer | undefined;
  #used = 0;
  #count = 0;
  #blobBytes = 0;
  #blobs: { index: number; data: Uint8Array }[] = [];

  /** Full runs go to `sealed`. */
  constructor(sinks: Route, sealed: Sealed[], spares: SpareBuffers) {
    this.#sinks = sinks;
    this.#sealed = sealed;
    this.#spares = spares;
  }

  /** Returns the bytes the record takes in memory. */
  add(record: OutboxRecord, inSpool: boolean): number {
    const payloadBytes = record.payload.byteLength;
    const bytes = overheadBytes(record) + (inSpool ? 0 : payloadBytes);
    if (this.#buffer !== undefined && this.#used + bytes > this.#buffer.byteLength) this.seal();
    this.#buffer ??= Buffer.from(this.#spares.take(bytes));
    this.#used = writeRecord(this.#buffer, this.#used, record, inSpool);
    this.#count++;
    if (!inSpool) return bytes;
    this.#blobs.push({ index: this.#count - 1, data: Uint8Array.from(record.payload) });
    this.#blobBytes += payloadBytes;
    return bytes + payloadBytes;
  }

  /** Ends the run, when there is one. */
  seal(): void {
    if (this.#count === 0) return;
    const buffer = this.#buffer!;
    const mostlyFull = this.#used * 2 >= buffer.byteLength;
    const filled = new Uint8Array(buffer.buffer, 0, this.#used);
    const data = mostlyFull ? filled : filled.slice();
    const bytes = this.#used + this.#blobBytes;
    const sinks = this.#sinks;
    this.#sealed.push({ count: this.#count, bytes, data, blobs: this.#blobs, sinks });
    if (mostlyFull) this.#buffer = undefined;
    this.#used = 0;
    this.#count = 0;
    this.#blobBytes = 0;
    this.#blobs = [];
  }
}
