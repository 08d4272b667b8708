import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { DeliveryResult, PendingRecord } from '../../common/delivery.ts';
import { SightlineError } from '../../common/errors.ts';
import { deferred } from '../../common/waits.ts';
import { decodeImage } from '../../metadata/image.ts';
import { eachLimited } from '../limited.ts';
import { type AppendFile, type AppendFormat, syncFolders } from './append-file.ts';
import { EncodedBatch } from './encoded-batch.ts';
import { ALL_SERIES, type Group, type Series, SpareWriters } from './groups.ts';
import { filePath } from './names.ts';
import { type ParquetOptions, ParquetStore } from './parquet/store.ts';
import { FileRotation, type RotationOptions } from './rotation.ts';
import type { FileSinkSpec } from './spec.ts';

const ACCEPTED: DeliveryResult = { status: 'accepted' };
const PARALLEL_FILES = 4;
export interface FileWriterOptions extends RotationOptions {
  readonly formats: FileSinkSpec['formats'];
  readonly onNote: ParquetOptions['onNote'];
}

/**
 * Writes below `root`, everything on the disk before it is acknowledged:
 * - frames: `<streamId>/<yyyy-MM-dd>/<HH>-<part>.ndjson` and `.pb` (length-delimited protobuf), UTC of the capture time,
 *   and Parquet, see ParquetStore
 * - events: `<streamId>/<yyyy-MM-dd>/<HH>-<part>.events.ndjson`
 * - segments: `<HH>-<part>.segments.ndjson` and `.segments.pb`, and Parquet below `segments/`; rows of their frames:
 *   `<HH>-<part>.frames.ndjson`, and Parquet below `frames/`
 * - pictures: `images/<ref>`
 */
export class FileWriter {
  readonly #root: string;
  readonly #formats: FileWriterOptions['formats'];
  readonly #rotation: FileRotation;
  /** Empty without Parquet. */
  readonly #parquet: ReadonlyMap<Series, ParquetStore>;
  readonly #spare = { lines: new SpareWriters(), messages: new SpareWriters() };
  #busy: Promise<unknown> = Promise.resolve();
  #ahead: EncodedBatch | undefined;

  constructor(options: FileWriterOptions) {
    const { root, formats, maxFileBytes, maxFileAgeMs, onCut, onNote } = options;
    this.#root = root;
    this.#formats = formats;
    this.#rotation = new FileRotation({ root, maxFileBytes, maxFileAgeMs, onCut });
    this.#parquet = new Map(
      (formats.includes('parquet') ? ALL_SERIES : []).flatMap((series) => {
        const { table, folder } = series;
        if (table === undefined) return [];
        const store = { table, root, folder, maxFileBytes, maxFileAgeMs, onNote };
        return [[series, new ParquetStore(store)]];
      }),
    );
  }

  /** Encodes a batch that is likely to be written next, while the disk has another. */
  prepare(batch: readonly PendingRecord[]): void {
    this.#ahead = new EncodedBatch(batch, this.#formats, this.#spare);
  }

  /**
   * Batches are written one after the other, also when an earlier one was given up by the caller. One that is given up
   * before its turn is let go at once: behind a disk that hangs, every try would keep its batch.
   */
  write(
    batch: readonly PendingRecord[],
    { signal }: { signal: AbortSignal },
  ): Promise<readonly DeliveryResult[]> {
    const before = this.#busy;
    const work = unlessAborted(before, signal).then(() => this.#write(batch, signal));
    const ended = work.then(
      () => undefined,
      () => undefined,
    );
    this.#busy = before.then(() => ended);
    return work;
  }

  async close(): Promise<void> {
    await this.#busy;
    await this.#rotation.close();
    await Promise.all([...this.#parquet.values()].map((store) => store.close()));
  }

  async #write(
    batch: readonly PendingRecord[],
    signal: AbortSignal,
  ): Promise<readonly DeliveryResult[]> {
    signal.throwIfAborted();
    const encoded = this.#encoded(batch);
    const results: DeliveryResult[] = batch.map(() => ACCEPTED);
    const failed = new Map<string, SightlineError>();
    const write = (group: Group) => this.#writeGroup(group, results, failed);
    let writing: Promise<void> = Promise.resolve();
    try {
      // While one piece is on its way to the disk, the next is encoded.
      for (const piece of encoded.pieces) {
        const groups = await piece;
        signal.throwIfAborted();
        writing = writing.then(async () => {
          await eachLimited(groups, PARALLEL_FILES, write);
          for (const { lines, messages } of groups) {
            this.#spare.lines.put(lines);
            this.#spare.messages.put(messages);
          }
        });
      }
    } finally {
      await writing;
    }
    for (const [index, error] of encoded.rejected) results[index] = { status: 'rejected', error };
    const pictures = [...batch.keys()].filter((index) => batch[index]!.kind === 'image');
    await eachLimited(pictures, PARALLEL_FILES, async (index) => {
      results[index] = await this.#writePicture(batch[index]!);
    });
    await this.#rotation.trim();
    return results;
  }

  #encoded(batch: readonly PendingRecord[]): EncodedBatch {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    if (ahead?.batch === batch) return ahead;
    return new EncodedBatch(batch, this.#formats, this.#spare);
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
    const { series, lines, messages, streamId, day, hour } = group;
    const writes: Promise<void>[] = [];
    if (lines.length > 0) writes.push(this.#append(group, series.lines, 'ndjson', lines.bytes()));
    if (messages.length > 0) {
      const bytes = messages.bytes();
      if (series.messages !== undefined && this.#formats.includes('protobuf')) {
        writes.push(this.#append(group, series.messages, 'protobuf', bytes));
      }
      const parquet = this.#parquet.get(series);
      if (parquet !== undefined) writes.push(parquet.append(streamId, day, hour, bytes));
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

/** Waits for `turn`, which does not fail; rejects with the signal's reason as soon as there is one. */
async function unlessAborted(turn: Promise<unknown>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { promise, reject } = deferred<void>();
  const abort = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', abort, { once: true });
  try {
    await Promise.race([turn, promise]);
  } finally {
    signal.removeEventListener('abort', abort);
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
