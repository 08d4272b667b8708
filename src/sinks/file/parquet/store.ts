import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { settlesWithin } from '../../../common/waits.ts';
import type { AnyTable } from '../../tables/table.ts';
import { AppendFile } from '../append-file.ts';
import { fileName } from '../names.ts';
import { convert } from './convert.ts';

const STAGING = '.staging';
/** Neither in the name of a camera nor in a day or hour. */
const SEPARATOR = '!';
/** The name of Hive for "none": here for hours of a camera whose clock jumps about. */
const NO_PARTITION = '__HIVE_DEFAULT_PARTITION__';
const MAX_HOURS_PER_CAMERA = 6;
const MAX_IDLE_MS = 300_000;
const CLOSE_LIMIT_MS = 8_000;

export interface ParquetOptions {
  readonly table: AnyTable;
  /** Whose own name counts as durable. */
  readonly root: string;
  /** Of the table, below the root; empty: the root itself. */
  readonly folder: string;
  readonly maxFileBytes: number;
  readonly maxFileAgeMs: number;
  /** What was cut off, could not be read or could not be written; for the log. */
  readonly onNote: (note: { readonly path: string; readonly what: string }) => void;
}

interface Stage {
  readonly key: string;
  readonly camera: string;
  /** Parts of the file's place: camera, day, hour. */
  readonly place: readonly [string, string, string];
  readonly openedMs: number;
  usedMs: number;
  bytes: number;
  path: string | undefined;
  file: AppendFile | undefined;
  /** Appends follow each other. */
  busy: Promise<void>;
}

/**
 * Parquet files of a table by camera, day and hour: `<folder>/camera=<id>/date=<yyyy-MM-dd>/hour=<HH>/part-<nnnn>.parquet`. A
 * Parquet file is written in one go, so messages gather in a staged file beside them, durable before they are acknowledged. It
 * becomes a part when it is full or old or nothing more comes. What a former run staged becomes parts at the start.
 */
export class ParquetStore {
  readonly #options: ParquetOptions;
  readonly #base: string;
  readonly #staging: string;
  readonly #stages = new Map<string, Stage>();
  readonly #sweep: NodeJS.Timeout;
  readonly #ready: Promise<void>;
  /** Staged files whose turn to be converted has come, one after the other. */
  readonly #due = new Set<string>();
  #converting: Promise<void> | undefined;

  constructor(options: ParquetOptions) {
    this.#options = options;
    this.#base = join(options.root, options.folder);
    this.#staging = join(this.#base, STAGING);
    const sweepMs = Math.max(20, Math.min(5_000, options.maxFileAgeMs / 4));
    this.#sweep = setInterval(() => this.#retireOld(), sweepMs);
    this.#sweep.unref();
    this.#ready = this.#recover();
    this.#ready.catch(() => undefined);
  }

  /** Resolves when the messages (length-delimited) are on the disk. Rejects with what the system said. */
  append(streamId: string, day: string, hour: string, messages: Uint8Array): Promise<void> {
    const stage = this.#stageOf(fileName(streamId), day, hour);
    stage.bytes += messages.byteLength;
    stage.usedMs = performance.now();
    const work = stage.busy.then(() => this.#write(stage, messages));
    stage.busy = work.catch(() => undefined);
    return work;
  }

  /** Makes parts of everything, as far as time allows; the rest waits for the next start. */
  async close(): Promise<void> {
    clearInterval(this.#sweep);
    await Promise.all([...this.#stages.values()].map((stage) => this.#retire(stage)));
    await settlesWithin(this.#converting ?? Promise.resolve(), CLOSE_LIMIT_MS);
  }

  #stageOf(camera: string, day: string, hour: string): Stage {
    const key = [camera, day, hour].join(SEPARATOR);
    const known = this.#stages.get(key);
    if (known !== undefined && known.bytes < this.#options.maxFileBytes) return known;
    if (known !== undefined) void this.#retire(known);
    else if (day !== NO_PARTITION && this.#hoursOf(camera) >= MAX_HOURS_PER_CAMERA) {
      return this.#stageOf(camera, NO_PARTITION, NO_PARTITION);
    }
    const now = performance.now();
    const stage: Stage = {
      ...{ key, camera, place: [camera, day, hour], openedMs: now, usedMs: now, bytes: 0 },
      ...{ path: undefined, file: undefined },
      // A number is taken after the one before it.
      busy: known?.busy ?? Promise.resolve(),
    };
    this.#stages.set(key, stage);
    return stage;
  }

  #hoursOf(camera: string): number {
    let hours = 0;
    for (const stage of this.#stages.values()) if (stage.camera === camera) hours++;
    return hours;
  }

  async #write(stage: Stage, messages: Uint8Array): Promise<void> {
    const { root, onNote } = this.#options;
    try {
      await this.#ready;
      stage.path ??= await this.#newPath(stage.place);
      if (stage.file === undefined) {
        stage.file = await AppendFile.open(stage.path, 'protobuf', root);
        const { cutBytes } = stage.file;
        if (cutBytes > 0) onNote({ path: stage.path, what: `${cutBytes} bytes of a torn tail` });
      }
      await stage.file.append(messages);
      await stage.file.sync();
    } catch (error) {
      await stage.file?.close().catch(() => undefined);
      stage.file = undefined;
      throw error;
    }
  }

  /** A part that neither is there nor will be made of what is staged. */
  async #newPath(place: readonly [string, string, string]): Promise<string> {
    const prefix = `${place.join(SEPARATOR)}${SEPARATOR}`;
    // In this order: a part is there before its staged file is gone.
    const staged = await names(this.#staging);
    const parts = await names(join(this.#base, folderOf(place)));
    const taken = [
      ...staged.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length)),
      ...parts.map((name) => name.replace(/^part-/, '')),
    ].map((name) => Number.parseInt(name, 10) || 0);
    const number = String(Math.max(0, ...taken) + 1).padStart(4, '0');
    return join(this.#staging, `${prefix}${number}.pb`);
  }

  #retireOld(): void {
    const now = performance.now();
    const { maxFileAgeMs } = this.#options;
    const maxIdleMs = Math.min(MAX_IDLE_MS, maxFileAgeMs);
    for (const stage of this.#stages.values()) {
      if (now - stage.openedMs < maxFileAgeMs && now - stage.usedMs < maxIdleMs) continue;
      void this.#retire(stage);
    }
    this.#pump();
  }

  /** From now on its messages go to a new part. */
  async #retire(stage: Stage): Promise<void> {
    if (this.#stages.get(stage.key) === stage) this.#stages.delete(stage.key);
    await stage.busy;
    const { file, path } = stage;
    stage.file = undefined;
    await file?.close().catch(() => undefined);
    if (path === undefined) return;
    this.#due.add(path);
    this.#pump();
  }

  #pump(): void {
    if (this.#due.size === 0) return;
    this.#converting ??= this.#convertAll().finally(() => {
      this.#converting = undefined;
    });
  }

  /** One at a time: each holds a row group in memory. What fails is tried again with a later sweep. */
  async #convertAll(): Promise<void> {
    const { table, root, onNote } = this.#options;
    for (const staged of this.#due) {
      const place = placeOf(staged.slice(this.#staging.length + 1));
      try {
        if (place === undefined) throw new Error('Its name is not one that is staged');
        const target = join(this.#base, folderOf(place), `part-${place[3]}.parquet`);
        const damaged = await convert({ table, staged, target, root });
        if (damaged > 0) onNote({ path: target, what: `${damaged} messages that cannot be read` });
        this.#due.delete(staged);
      } catch (error) {
        onNote({ path: staged, what: `not made into Parquet: ${String(error)}` });
      }
    }
  }

  async #recover(): Promise<void> {
    for (const name of await names(this.#staging)) {
      const path = join(this.#staging, name);
      if (name.endsWith('.pb')) this.#due.add(path);
      else if (name.endsWith('.tmp')) await rm(path, { force: true });
    }
    this.#pump();
  }
}

function folderOf([camera, day, hour]: readonly [string, string, string, ...string[]]): string {
  return join(`camera=${camera}`, `date=${day}`, `hour=${hour}`);
}

function placeOf(name: string): readonly [string, string, string, string] | undefined {
  const [camera, day, hour, number, ...rest] = name.replace(/\.pb$/, '').split(SEPARATOR);
  if (rest.length > 0 || !camera || !day || !hour || !/^\d+$/.test(number ?? '')) return undefined;
  return [camera, day, hour, number!];
}

async function names(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
