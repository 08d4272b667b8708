import { constants } from 'node:fs';
import {
  access,
  mkdir,
  open,
  readdir,
  readFile,
  rm,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { SightlineError } from '../common/errors.ts';
import { tryFileLock } from '../common/file-lock.ts';
import { linkOrCopy, replaceFile } from '../common/files.ts';
import { ChecksumCache } from './checksum.ts';

/** Says of an engine that it is whole. Its time of change is the last use. */
const MARKER = 'engine.json';
const LOCK = 'build.lock';
const KEY = /^[0-9a-f]{32}$/;
const DAY_MS = 24 * 3600 * 1000;

/** An engine to look after; what the control process asks for has these and more. */
export interface CachedEngine {
  readonly key: string;
  /** Name and version of the model, kept to be read by people. */
  readonly model: string;
  readonly precision: string;
  readonly batchSize: number;
  readonly sourceFile: string;
  readonly onnxFile: string;
  readonly engineFile: string;
}

interface Marker {
  readonly size: number;
  readonly sha256: string;
}

export interface PruneOptions {
  /** Engines that were not used for so long go. Default 90 days. */
  readonly maxAgeMs?: number;
  /** Then the longest unused go until the rest fits. Default 20 GiB. */
  readonly maxBytes?: number;
  /** Keys that stay in any case. */
  readonly keep?: ReadonlySet<string>;
  /** Default: now. */
  readonly nowMs?: number;
}

export interface PruneResult {
  readonly removed: number;
  readonly removedBytes: number;
  readonly kept: number;
  readonly keptBytes: number;
}

/**
 * A folder of TensorRT engines, one sub-folder a key: the model as `model.onnx`, the engine that nvinfer wrote beside
 * it, and `engine.json`, written last, with size and SHA-256. An engine without it, or of another content, is of a build that
 * was cut off or of another program: it is removed before nvinfer could load it.
 */
export class EngineCache {
  readonly directory: string;
  readonly #checksums: ChecksumCache;

  private constructor(directory: string, checksums: ChecksumCache) {
    this.directory = directory;
    this.#checksums = checksums;
  }

  /**
   * Opens the cache; the folder is made when absent.
   * @throws SightlineError `SL_CONFIG_INVALID` when it cannot be written: nvinfer would build anew at each start.
   */
  static async open(directory: string): Promise<EngineCache> {
    const folder = resolve(directory);
    try {
      await mkdir(folder, { recursive: true });
      await access(folder, constants.W_OK | constants.X_OK);
      tryFileLock(join(folder, LOCK))?.release();
    } catch (cause) {
      throw new SightlineError(
        'SL_CONFIG_INVALID',
        `Cannot use ${folder} as the cache of TensorRT engines: ${(cause as Error).message}. ` +
          'Set deepstream.cacheDir to a folder that this user can write and that survives restarts',
        { cause },
      );
    }
    return new EngineCache(folder, new ChecksumCache(join(folder, 'checksums.json')));
  }

  /** True when the engine is there, whole and marked; it counts as used now. */
  async ready(engine: CachedEngine): Promise<boolean> {
    const { engineFile } = this.#placeOf(engine);
    const marker = await readMarker(dirname(engineFile));
    if (marker === undefined) return false;
    try {
      if ((await stat(engineFile)).size !== marker.size) return false;
      if ((await this.#checksums.sha256(engineFile)) !== marker.sha256) return false;
      await stat(engine.onnxFile);
    } catch {
      return false;
    }
    const now = new Date();
    await utimes(join(dirname(engineFile), MARKER), now, now).catch(() => undefined);
    return true;
  }

  /**
   * Lays out the folder for a build: the model in it, and nothing that nvinfer could take for an engine.
   * @throws SightlineError `SL_UNAVAILABLE` when the folder cannot be written.
   */
  async prepare(engine: CachedEngine): Promise<void> {
    const { onnxFile } = this.#placeOf(engine);
    const folder = dirname(onnxFile);
    try {
      await mkdir(folder, { recursive: true });
      for (const name of await readdir(folder)) {
        if (join(folder, name) !== onnxFile) await rm(join(folder, name), { force: true });
      }
      // Not a symbolic link: nvinfer would follow it, and write the engine beside the original.
      await linkOrCopy(engine.sourceFile, onnxFile);
    } catch (cause) {
      throw unwritable(folder, cause);
    }
  }

  /**
   * Marks the engine as whole.
   * @throws SightlineError `SL_ENGINE_FAILED` when nvinfer wrote none, or under another name.
   */
  async complete(
    engine: CachedEngine,
    { buildSeconds }: { readonly buildSeconds: number },
  ): Promise<void> {
    const { engineFile } = this.#placeOf(engine);
    const folder = dirname(engineFile);
    const { model, precision, batchSize } = engine;
    const size = await stat(engineFile).then(
      (info) => info.size,
      () => 0,
    );
    if (size === 0) {
      const found = (await readdir(folder)).join(', ');
      throw new SightlineError(
        'SL_ENGINE_FAILED',
        `nvinfer ran but left no engine ${basename(engineFile)} in ${folder} (there is: ${found}); ` +
          'check that the folder can be written and has space',
      );
    }
    // On the disk before the marker is: after a power cut a marker must not stand beside an empty engine.
    await syncFile(engineFile);
    const sha256 = await this.#checksums.sha256(engineFile);
    const builtAt = new Date().toISOString();
    const facts = { model, precision, batchSize, builtAt, buildSeconds, size, sha256 };
    await replaceFile(join(folder, MARKER), (partial) =>
      writeFile(partial, `${JSON.stringify(facts, null, 1)}\n`),
    );
  }

  /** Takes the cache for one build; undefined while another process of this machine builds. */
  tryLock(): { release(): void } | undefined {
    try {
      return tryFileLock(join(this.directory, LOCK));
    } catch (cause) {
      throw unwritable(this.directory, cause);
    }
  }

  /**
   * Removes engines that were not used for long, then those that are too much. What is no engine's folder is left
   * alone, and all is while another process builds.
   */
  async prune(options: PruneOptions = {}): Promise<PruneResult> {
    const lock = this.tryLock();
    if (lock === undefined) return { removed: 0, removedBytes: 0, kept: 0, keptBytes: 0 };
    try {
      return await this.#prune(options);
    } finally {
      lock.release();
    }
  }

  async #prune(options: PruneOptions): Promise<PruneResult> {
    const { maxAgeMs = 90 * DAY_MS, maxBytes = 20 * 1024 ** 3, keep = new Set<string>() } = options;
    const { nowMs = Date.now() } = options;
    const entries = await this.#entries();
    entries.sort((a, b) => b.usedMs - a.usedMs);
    let keptBytes = 0;
    let kept = 0;
    let removedBytes = 0;
    for (const { key, bytes, usedMs } of entries) {
      const fits = nowMs - usedMs <= maxAgeMs && keptBytes + bytes <= maxBytes;
      if (fits || keep.has(key)) {
        kept += 1;
        keptBytes += bytes;
      } else {
        await rm(join(this.directory, key), { recursive: true, force: true });
        removedBytes += bytes;
      }
    }
    return { removed: entries.length - kept, removedBytes, kept, keptBytes };
  }

  async #entries(): Promise<{ key: string; bytes: number; usedMs: number }[]> {
    const entries: { key: string; bytes: number; usedMs: number }[] = [];
    for (const key of (await readdir(this.directory)).filter((name) => KEY.test(name))) {
      const folder = join(this.directory, key);
      let bytes = 0;
      // Without a marker the folder's own age counts: a build may be under way.
      let usedMs = (await stat(folder)).mtimeMs;
      for (const name of await readdir(folder)) {
        const info = await stat(join(folder, name)).catch(() => undefined);
        bytes += info?.size ?? 0;
        if (name === MARKER && info !== undefined) usedMs = info.mtimeMs;
      }
      entries.push({ key, bytes, usedMs });
    }
    return entries;
  }

  /** Guards against a request of another cache: its files would be removed. */
  #placeOf(engine: CachedEngine): CachedEngine {
    const folder = join(this.directory, engine.key);
    const inside = [engine.onnxFile, engine.engineFile].every((file) => dirname(file) === folder);
    if (inside && KEY.test(engine.key)) return engine;
    throw new SightlineError('SL_INTERNAL', `${engine.engineFile} is not in the cache ${folder}`);
  }
}

async function syncFile(file: string): Promise<void> {
  const handle = await open(file, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function readMarker(folder: string): Promise<Marker | undefined> {
  try {
    const { size, sha256 } = JSON.parse(await readFile(join(folder, MARKER), 'utf8')) as Marker;
    return { size, sha256 };
  } catch {
    return undefined;
  }
}

function unwritable(folder: string, cause: unknown): SightlineError {
  return new SightlineError(
    'SL_UNAVAILABLE',
    `Cannot write the cache of TensorRT engines ${folder}: ${(cause as Error).message}; check rights and free space`,
    { cause },
  );
}
