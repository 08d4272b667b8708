import type { DeliveryResult, PendingRecord, RecordKind, Sink } from '../../common/delivery.ts';
import type { EventLog } from '../event-log.ts';
import type { FileSinkSpec } from './spec.ts';
import { FileWriter } from './writer.ts';

/** Of what goes wrong while nothing is delivered: more of the same is not told. */
const MAX_NOTES = 100;

export interface FileSinkOptions {
  /** Absolute folder. */
  readonly root: string;
  readonly logger?: EventLog | undefined;
}

/** Writes below `dir`, see FileWriter for the names. Opens nothing before it is started or delivers. */
export class FileSink implements Sink {
  readonly id: string;
  readonly type = 'file';
  readonly kinds: readonly RecordKind[];
  readonly limits;
  /** What a former run staged for Parquet files is made into them without waiting for a record. */
  readonly start?: () => void;
  readonly #make: () => FileWriter;
  #writer: FileWriter | undefined;
  #notes = 0;

  constructor(spec: FileSinkSpec, { root, logger }: FileSinkOptions) {
    const { id, kinds, formats, maxFileBytes, maxFileAgeMs, maxWaitMs } = spec;
    this.id = id;
    this.kinds = kinds;
    this.limits = { maxRecords: 4000, maxBytes: 8 * 1024 * 1024, maxWaitMs };
    this.#make = () =>
      new FileWriter({
        ...{ root, formats, maxFileBytes, maxFileAgeMs },
        onCut: (path, bytes) => logger?.warn({ sink: id, path, bytes }, 'sink.file.tornTailCut'),
        onNote: (note) => {
          if (++this.#notes <= MAX_NOTES) logger?.warn({ sink: id, ...note }, 'sink.file.parquet');
        },
      });
    if (formats.includes('parquet')) {
      this.start = () => {
        this.#writer ??= this.#make();
      };
    }
  }

  prepare(batch: readonly PendingRecord[]): void {
    this.#writer?.prepare(batch);
  }

  deliver(
    batch: readonly PendingRecord[],
    options: { signal: AbortSignal },
  ): Promise<readonly DeliveryResult[]> {
    this.#notes = 0;
    this.#writer ??= this.#make();
    return this.#writer.write(batch, options);
  }

  async close(): Promise<void> {
    const writer = this.#writer;
    this.#writer = undefined;
    await writer?.close();
  }
}
