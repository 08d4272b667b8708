import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { ROOT } from '../../src/common/paths.ts';
import { createEngineBuilder } from '../../src/control/engine-builder.ts';
import { createEngineStore, type EngineStoreOptions } from '../../src/control/engine-store.ts';
import type { Compiler, EngineStore } from '../../src/control/types.ts';
import { commandOf } from '../../src/control/worker-command.ts';
import { EngineCache } from '../../src/models/engine-cache.ts';
import { type EngineFacts, engineLayout } from '../../src/models/engine-key.ts';
import type { EngineRequest } from '../../src/pipeline/engine-request.ts';
import { memoryLogger, PLAIN_COMPILER, temporaryFolder } from './support.ts';

const FAKE_BUILDER = join(ROOT, 'test/control/fixtures/fake-builder.mjs');

export const FACTS: EngineFacts = {
  modelSha256: 'ab'.repeat(32),
  precision: 'fp16',
  batchSize: 4,
  gpuId: 0,
  inputDims: [3, 64, 96],
  gpuName: 'NVIDIA L4',
  computeCapability: '8.9',
  tensorRt: '10.16.1.11',
  deepStream: '9.1',
};

export interface EngineBench {
  readonly folder: string;
  readonly cache: EngineCache;
  readonly store: EngineStore;
  readonly lines: readonly string[];
  request(facts?: Partial<EngineFacts>): EngineRequest;
  /** Lets builders of the mode `slow` finish. */
  go(): void;
  /** One line for each builder that was started: pid, key, and whether an engine lay there. */
  starts(): readonly (readonly [pid: number, key: string, found: 'stale' | 'clean'])[];
}

/** A store over a real cache in a folder of its own, with a stand-in for the worker that builds. */
export async function engineBench(
  t: TestContext,
  mode: string,
  options: Partial<EngineStoreOptions> & { folder?: string } = {},
): Promise<EngineBench> {
  const folder = options.folder ?? temporaryFolder(t);
  const work = join(folder, 'work');
  mkdirSync(work, { recursive: true });
  const sourceFile = join(folder, 'model.onnx');
  writeFileSync(sourceFile, 'a model');
  const cache = await EngineCache.open(join(folder, 'engines'));
  const { logger, lines } = memoryLogger();
  const command = commandOf([process.execPath, FAKE_BUILDER, mode]);
  const build = createEngineBuilder({ command, logger });
  const starts = join(work, 'starts');
  return {
    folder,
    cache,
    lines,
    store: createEngineStore({ files: cache, build, logger, ...options }),
    request(more = {}) {
      const facts = { ...FACTS, ...more };
      const { key, onnxFile, engineFile } = engineLayout(cache.directory, facts);
      const configFile = join(work, `${key}.txt`);
      writeFileSync(
        configFile,
        `[property]\nonnx-file=${onnxFile}\nmodel-engine-file=${engineFile}\n`,
      );
      const { precision, batchSize, gpuId } = facts;
      const shown = { model: 'tiny 1', precision, batchSize, gpuId };
      return { key, ...shown, sourceFile, onnxFile, engineFile, configFile };
    },
    go: () => writeFileSync(join(work, 'go'), ''),
    starts() {
      if (!existsSync(starts)) return [];
      const text = readFileSync(starts, 'utf8').trim();
      return text.split('\n').map((line) => {
        const [pid, key, found] = line.split(' ') as [string, string, 'stale' | 'clean'];
        return [Number(pid), key, found] as const;
      });
    },
  };
}

/** Compiles every spec to a graph that needs these engines. */
export function needing(...engines: EngineRequest[]): Compiler {
  return {
    stream: async (spec) => ({ ...(await PLAIN_COMPILER.stream(spec)), engines }),
    pipeline: async (spec, source) => ({
      ...(await PLAIN_COMPILER.pipeline(spec, source)),
      engines,
    }),
  };
}
