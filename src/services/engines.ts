import type { EnginesView } from '../api/dependencies.ts';
import type { Logger } from '../common/logger.ts';
import { createEngineBuilder } from '../control/engine-builder.ts';
import { createEngineStore, type EngineFiles } from '../control/engine-store.ts';
import type { EngineStore } from '../control/types.ts';
import type { WorkerCommand } from '../control/worker-command.ts';
import { EngineCache } from '../models/engine-cache.ts';

const DAY_MS = 24 * 3600 * 1000;

export interface EnginesOptions {
  /** Absolute; made when absent. */
  readonly cacheDir: string;
  readonly maxBytes: number;
  readonly maxAgeDays: number;
  readonly buildLimitMs: number;
  /** The worker that builds. */
  readonly command: WorkerCommand;
  readonly logger: Logger;
}

/** The engines of a server. The cache is touched when a pipeline first needs one: on a CPU never. */
export interface Engines {
  readonly store: EngineStore;
  /**
   * Opens the cache and removes what is too old or too much, once. Throws `SL_CONFIG_INVALID` when it cannot be
   * written: to be called before the first pipeline of a machine with a GPU.
   */
  open(): Promise<void>;
  /** Undefined before the cache was opened. */
  view(): EnginesView | undefined;
}

export function createEngines(options: EnginesOptions): Engines {
  const { command, logger, buildLimitMs } = options;
  let opened: { cache: EngineCache; pruned: number; bytes: number } | undefined;
  let opening: Promise<EngineCache> | undefined;
  const cache = (): Promise<EngineCache> => {
    opening ??= openCache(options).then(
      (result) => {
        opened = result;
        return result.cache;
      },
      (error) => {
        // The folder may be mended meanwhile.
        opening = undefined;
        throw error;
      },
    );
    return opening;
  };
  const files: EngineFiles = {
    ready: async (request) => (await cache()).ready(request),
    prepare: async (request) => (await cache()).prepare(request),
    complete: async (request, facts) => (await cache()).complete(request, facts),
    tryLock: () => opened?.cache.tryLock(),
  };
  const build = createEngineBuilder({ command, logger, limitMs: buildLimitMs });
  const store = createEngineStore({ files, build, logger, limitMs: buildLimitMs });
  return {
    store,
    open: async () => void (await cache()),
    view: () => opened && { ...store.stats, pruned: opened.pruned, cacheBytes: opened.bytes },
  };
}

async function openCache({ cacheDir, maxBytes, maxAgeDays, logger }: EnginesOptions) {
  const cache = await EngineCache.open(cacheDir);
  const { removed, removedBytes, kept, keptBytes } = await cache.prune({
    maxBytes,
    maxAgeMs: maxAgeDays * DAY_MS,
  });
  logger.info({ cacheDir, kept, keptBytes, removed, removedBytes }, 'engines.opened');
  return { cache, pruned: removed, bytes: keptBytes };
}
