import { type FSWatcher, watch } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { loadDocument } from '../common/document.ts';
import { SightlineError, toSightlineError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { Events, Orchestrator } from '../control/types.ts';
import { PipelineSpec } from '../pipeline/spec.ts';

/** Editors write in several steps: what they do is looked at when it has been quiet for so long. */
const QUIET_MS = 200;
/** inotify misses what happens on network file systems and in mounts: everything is looked at anew this often. */
const RESCAN_MS = 10_000;
const MOST_FILES = 1_000;
const EXTENSIONS: ReadonlySet<string> = new Set(['.yaml', '.yml', '.json']);

export interface ConfigFolderOptions {
  /** Folder of pipeline files; need not be there. */
  readonly dir: string;
  readonly orchestrator: Pick<Orchestrator, 'putPipeline' | 'removePipeline'>;
  readonly events: Pick<Events, 'emit'>;
  readonly logger: Logger;
  /** Default 10000. */
  readonly rescanMs?: number;
}

/** A file as it was last looked at. */
interface Known {
  /** Changes with the content. */
  readonly stamp: string;
  /** The pipeline that runs because of the file; absent when it never was right. */
  readonly pipelineId?: string;
  /** It is wrong, and that was told. */
  readonly told?: string;
}

/**
 * Keeps the pipelines of a folder as its files say: `*.yaml`, `*.yml` and `*.json`, each a pipeline spec. Hidden files and
 * what editors leave beside them are not read. What a broken file said before runs on; what is wrong with it is told.
 */
export class ConfigFolder implements AsyncDisposable {
  readonly #options: ConfigFolderOptions;
  readonly #known = new Map<string, Known>();
  #watcher: FSWatcher | undefined;
  #quiet: NodeJS.Timeout | undefined;
  #rescan: NodeJS.Timeout | undefined;
  #scanning: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: ConfigFolderOptions) {
    this.#options = options;
  }

  /** Brings up what the files say, and watches them from then on. Resolves when all have begun. */
  async start(): Promise<void> {
    this.#watch();
    this.#rescan = setInterval(() => {
      if (this.#watcher === undefined) this.#watch();
      void this.scan();
    }, this.#options.rescanMs ?? RESCAN_MS);
    this.#rescan.unref();
    await this.scan();
  }

  /** Looks at every file now, after the look that is under way. Never rejects. */
  scan(): Promise<void> {
    this.#scanning = this.#scanning.then(() => this.#scan());
    return this.#scanning;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    clearInterval(this.#rescan);
    clearTimeout(this.#quiet);
    this.#watcher?.close();
    await this.#scanning;
  }

  #watch(): void {
    const { dir, logger } = this.#options;
    try {
      const watcher = watch(dir, { persistent: false }, () => {
        clearTimeout(this.#quiet);
        this.#quiet = setTimeout(() => void this.scan(), QUIET_MS);
      });
      // The folder went away: the slow look goes on, and watches again when it is back.
      watcher.on('error', () => this.#unwatch(watcher));
      this.#watcher = watcher;
    } catch (error) {
      logger.debug({ dir, error: toSightlineError(error).message }, 'config.not_watched');
    }
  }

  #unwatch(watcher: FSWatcher): void {
    watcher.close();
    if (this.#watcher === watcher) this.#watcher = undefined;
  }

  async #scan(): Promise<void> {
    if (this.#closed) return;
    try {
      const found = await this.#files();
      const present = new Set(found.map(({ file }) => file));
      // First what goes: its ids may stand in another file now.
      for (const file of this.#known.keys()) if (!present.has(file)) await this.#gone(file);
      await Promise.all(found.map(({ file, stamp }) => this.#look(file, stamp)));
    } catch (error) {
      const { code, message } = toSightlineError(error);
      this.#options.logger.error({ dir: this.#options.dir, code, message }, 'config.not_read');
    }
  }

  /** Throws `SL_CONFIG_INVALID` for a folder with too many files, `SL_INTERNAL` for one that cannot be read. */
  async #files(): Promise<readonly { readonly file: string; readonly stamp: string }[]> {
    const { dir } = this.#options;
    const names = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
      // A folder that is not there now may be one whose disk is away: that ends no stream.
      if (error.code === 'ENOENT' && this.#known.size === 0) return [];
      throw error;
    });
    const wanted = names.filter((name) => !name.startsWith('.') && EXTENSIONS.has(extname(name)));
    if (wanted.length > MOST_FILES) {
      const message = `Cannot read ${dir}: it has ${wanted.length} files, ${MOST_FILES} are allowed`;
      throw new SightlineError('SL_CONFIG_INVALID', message);
    }
    const files = wanted.sort().map(async (name) => {
      const file = join(dir, name);
      const facts = await stat(file, { bigint: true }).catch(() => undefined);
      if (facts === undefined || !facts.isFile()) return [];
      const { ino, size, mtimeNs, ctimeNs } = facts;
      return [{ file, stamp: [ino, size, mtimeNs, ctimeNs].join('/') }];
    });
    return (await Promise.all(files)).flat();
  }

  async #look(file: string, stamp: string): Promise<void> {
    const before = this.#known.get(file);
    // One that was refused for what others hold may be right by now.
    if (before?.stamp === stamp && before.told === undefined) return;
    try {
      const { value: spec } = await loadDocument(file, PipelineSpec, { code: 'SL_CONFIG_INVALID' });
      this.#refuseTwice(file, spec.id);
      if (before?.pipelineId !== undefined && before.pipelineId !== spec.id) {
        await this.#remove(before.pipelineId);
      }
      await this.#options.orchestrator.putPipeline(spec, { source: 'folder' });
      this.#known.set(file, { stamp, pipelineId: spec.id });
      if (before?.stamp !== stamp || before.told !== undefined) {
        this.#options.logger.info({ file, pipelineId: spec.id }, 'config.applied');
      }
    } catch (error) {
      const told = this.#tell(file, error, before?.told);
      const { pipelineId } = before ?? {};
      this.#known.set(file, { stamp, told, ...(pipelineId === undefined ? {} : { pipelineId }) });
    }
  }

  #refuseTwice(file: string, id: string): void {
    for (const [other, { pipelineId }] of this.#known) {
      if (other === file || pipelineId !== id) continue;
      const message = `Cannot use ${file}: pipeline "${id}" is that of ${other}`;
      throw new SightlineError('SL_CONFLICT', message);
    }
  }

  async #gone(file: string): Promise<void> {
    const pipelineId = this.#known.get(file)?.pipelineId;
    if (pipelineId !== undefined) await this.#remove(pipelineId);
    this.#known.delete(file);
    this.#options.logger.info({ file, pipelineId }, 'config.removed');
  }

  async #remove(pipelineId: string): Promise<void> {
    try {
      await this.#options.orchestrator.removePipeline(pipelineId, { source: 'folder' });
    } catch (error) {
      if (toSightlineError(error).code !== 'SL_NOT_FOUND') throw error;
    }
  }

  /** Says once what is wrong, with the line where it is known; returns what was said. */
  #tell(file: string, error: unknown, before: string | undefined): string {
    const { code, message, problems } = toSightlineError(error);
    const line = problems[0]?.line;
    const place = line === undefined ? file : `${file}:${line}`;
    const told = `${place} ${message}`;
    if (told !== before)
      this.#options.events.emit('config.invalid', { file, place, code, message });
    return told;
  }
}
