import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setImmediate as yieldToLoop } from 'node:timers/promises';
import type { DeliveryResult, PendingRecord, RecordKind } from '../../common/delivery.ts';
import { SightlineError, toSightlineError } from '../../common/errors.ts';
import { decodeFrame } from '../../metadata/frame.ts';
import { decodeImage } from '../../metadata/image.ts';
import { ByteWriter } from '../format/byte-writer.ts';
import { writeJsonLine } from '../format/encode.ts';
import { encodeDelimited } from '../format/length-delimited.ts';
import { eachLimited } from '../limited.ts';
import { type AppendFile, type AppendFormat, syncFolders } from './append-file.ts';
import { dayAndHour, fileName, filePath } from './names.ts';
import { type ParquetOptions, ParquetStore } from './parquet/store.ts';
import { FileRotation, type RotationOptions } from './rotation.ts';
import type { FileSinkSpec } from './spec.ts';

const ACCEPTED: DeliveryResult = { status: 'accepted' };
const PARALLEL_FILES = 4;
/** Records that are encoded before they are handed to the disk: while they are written, the next are encoded. */
const PIECE_RECORDS = 2000;
/** Where nothing is encoded: as many as come, since every piece costs a sync a file. */
const PLAIN_PIECE_RECORDS = 4000;
const SPARE_BYTES = 16 * 1024 * 1024;

/** Records that go to the same files. */
interface Group {
  readonly streamId: string;
  readonly folder: string;
  readonly day: string;
  readonly hour: string;
  readonly kind: RecordKind;
  readonly members: number[];
  /** Each line with its line feed. */
  readonly lines: ByteWriter;
  readonly messages: Uint8Array[];
}

export interface FileWriterOptions extends RotationOptions {
  readonly formats: FileSinkSpec['formats'];
  readonly onNote: ParquetOptions['onNote'];
}

/**
 * Writes below `root`, everything on the disk before it is acknowledged:
 * - frames: `<streamId>/<yyyy-MM-dd>/<HH>-<part>.ndjson` and `.pb` (length-delimited protobuf), UTC of the capture time,
 *   and Parquet, see ParquetStore
 * - events: `<streamId>/<yyyy-MM-dd>/<HH>-<part>.events.ndjson`
 * - pictures: `images/<ref>`
 */
export class FileWriter {
  readonly #root: string;
  readonly #formats: FileWriterOptions['formats'];
  readonly #rotation: FileRotation;
  readonly #parquet: ParquetStore | undefined;
  readonly #spare = new SpareWriters();
  #busy: Promise<unknown> = Promise.resolve();

  constructor(options: FileWriterOptions) {
    const { root, formats, maxFileBytes, maxFileAgeMs, onCut, onNote } = options;
    this.#root = root;
    this.#formats = formats;
    this.#rotation = new FileRotation({ root, maxFileBytes, maxFileAgeMs, onCut });
    this.#parquet = formats.includes('parquet')
      ? new ParquetStore({ root, maxFileBytes, maxFileAgeMs, onNote })
      : undefined;
  }

  /** Batches are written one after the other, also when an earlier one was given up by the caller. */
  write(
    batch: readonly PendingRecord[],
    { signal }: { signal: AbortSignal },
  ): Promise<readonly DeliveryResult[]> {
    const work = this.#busy.then(() => this.#write(batch, signal));
    this.#busy = work.catch(() => undefined);
    return work;
  }

  async close(): Promise<void> {
    await this.#busy;
    await this.#rotation.close();
    await this.#parquet?.close();
  }

  async #write(
    batch: readonly PendingRecord[],
    signal: AbortSignal,
  ): Promise<readonly DeliveryResult[]> {
    signal.throwIfAborted();
    const results: DeliveryResult[] = batch.map(() => ACCEPTED);
    const failed = new Map<string, SightlineError>();
    let writing: Promise<void> = Promise.resolve();
    try {
      // While one piece is on its way to the disk, the next is encoded.
      const isPlain = !this.#formats.includes('ndjson');
      const pieceRecords = isPlain ? PLAIN_PIECE_RECORDS : PIECE_RECORDS;
      for (let start = 0; start < batch.length; start += pieceRecords) {
        const end = Math.min(batch.length, start + pieceRecords);
        const groups = this.#group(batch, start, end, results);
        const write = (group: Group) => this.#writeGroup(group, results, failed);
        writing = writing.then(async () => {
          await eachLimited(groups, PARALLEL_FILES, write);
          for (const { lines } of groups) this.#spare.put(lines);
        });
        await yieldToLoop();
        signal.throwIfAborted();
      }
    } finally {
      await writing;
    }
    const pictures = [...batch.keys()].filter((index) => batch[index]!.kind === 'image');
    await eachLimited(pictures, PARALLEL_FILES, async (index) => {
      results[index] = await this.#writePicture(batch[index]!);
    });
    await this.#rotation.trim();
    return results;
  }

  #group(
    batch: readonly PendingRecord[],
    start: number,
    end: number,
    results: DeliveryResult[],
  ): Group[] {
    const groups = new Map<string, Group>();
    for (let index = start; index < end; index++) {
      const record = batch[index]!;
      if (record.kind === 'image') continue;
      try {
        this.#addTo(groups, index, record);
      } catch (error) {
        results[index] = { status: 'rejected', error: toSightlineError(error) };
      }
    }
    return [...groups.values()];
  }

  #addTo(groups: Map<string, Group>, index: number, record: PendingRecord): void {
    const { kind, streamId, atMs } = record;
    const isFrame = kind === 'frame';
    const { day, hour } = dayAndHour(atMs);
    const key = `${kind}/${day}/${hour}/${streamId}`;
    let group = groups.get(key);
    if (group === undefined) {
      const folder = join(fileName(streamId), day);
      const lines = this.#spare.take();
      group = { streamId, folder, day, hour, kind, members: [], lines, messages: [] };
      groups.set(key, group);
    }
    if (!isFrame || this.#formats.includes('ndjson')) {
      writeJsonLine(group.lines, record);
      group.lines.text('\n');
    } else if (this.#parquet !== undefined) checkFrame(record);
    group.members.push(index);
    if (isFrame && (this.#formats.includes('protobuf') || this.#parquet !== undefined)) {
      group.messages.push(record.payload);
    }
  }

  /** After a failure nothing more of that folder in this batch: its records keep their order. */
  async #writeGroup(
    group: Group,
    results: DeliveryResult[],
    failed: Map<string, SightlineError>,
  ): Promise<void> {
    const error = failed.get(group.folder) ?? (await this.#tryGroup(group));
    if (error === undefined) return;
    failed.set(group.folder, error);
    for (const index of group.members) results[index] = { status: 'retry', error };
  }

  async #tryGroup(group: Group): Promise<SightlineError | undefined> {
    const { lines, messages, kind } = group;
    const writes: Promise<void>[] = [];
    if (lines.length > 0) {
      const suffix = kind === 'event' ? '.events.ndjson' : '.ndjson';
      writes.push(this.#append(group, suffix, 'ndjson', lines.bytes()));
    }
    if (messages.length > 0) {
      const { streamId, day, hour } = group;
      const bytes = encodeDelimited(messages);
      if (this.#formats.includes('protobuf')) {
        writes.push(this.#append(group, '.pb', 'protobuf', bytes));
      }
      if (this.#parquet !== undefined) {
        writes.push(this.#parquet.append(streamId, day, hour, bytes));
      }
    }
    for (const outcome of await Promise.allSettled(writes)) {
      if (outcome.status === 'rejected') return this.#describe(outcome.reason);
    }
    return undefined;
  }

  async #append(
    { folder, hour }: Group,
    suffix: string,
    format: AppendFormat,
    bytes: Uint8Array,
  ): Promise<void> {
    let file: AppendFile | undefined;
    try {
      file = await this.#rotation.current(folder, hour, suffix, format);
      await file.append(bytes);
      await file.sync();
    } catch (error) {
      if (file !== undefined) await this.#rotation.drop(file);
      throw error;
    }
  }

  async #writePicture(record: PendingRecord): Promise<DeliveryResult> {
    let picture: { ref: string; data: Uint8Array };
    try {
      picture = decodeImage(record.payload);
    } catch (cause) {
      const message = `Cannot read picture ${record.recordId}: its bytes are damaged`;
      return {
        status: 'rejected',
        error: new SightlineError('SL_SINK_REJECTED', message, { cause }),
      };
    }
    const path = join(this.#root, 'images', filePath(picture.ref || record.recordId));
    try {
      await writeWhole(path, picture.data, this.#root);
      return ACCEPTED;
    } catch (error) {
      return { status: 'retry', error: this.#describe(error) };
    }
  }

  #describe(cause: unknown): SightlineError {
    const { code = 'unknown' } = cause as NodeJS.ErrnoException;
    return new SightlineError(
      'SL_SINK_UNAVAILABLE',
      `Cannot write below ${this.#root} (${code}): check that it can be written and has space left`,
      { cause, details: { code } },
    );
  }
}

/** What is acknowledged must be readable when its Parquet file is made, hours later. */
function checkFrame({ recordId, payload }: PendingRecord): void {
  try {
    decodeFrame(payload);
  } catch (cause) {
    const message = `Cannot read frame ${recordId}: its bytes are damaged`;
    throw new SightlineError('SL_SINK_REJECTED', message, { cause });
  }
}

/** Buffers that were used and grew: making them anew for every piece would keep the garbage collector busy. */
class SpareWriters {
  readonly #writers: ByteWriter[] = [];
  #bytes = 0;

  take(): ByteWriter {
    const writer = this.#writers.pop();
    if (writer === undefined) return new ByteWriter();
    this.#bytes -= writer.capacity;
    writer.truncate(0);
    return writer;
  }

  /** Keeps it for later, as far as there is room. */
  put(writer: ByteWriter): void {
    if (this.#bytes + writer.capacity > SPARE_BYTES) return;
    this.#writers.push(writer);
    this.#bytes += writer.capacity;
  }
}

async function writeWhole(path: string, bytes: Uint8Array, root: string): Promise<void> {
  const folder = dirname(path);
  const made = await mkdir(folder, { recursive: true });
  const temporary = `${path}.tmp`;
  try {
    const handle = await open(temporary, 'w', 0o644);
    try {
      await handle.writeFile(bytes);
      await handle.datasync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolders(folder, made === undefined ? folder : root);
}
