import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Cleanup } from '../../src/common/cleanup.ts';
import { createLogger } from '../../src/common/logger.ts';
import type { FrameJson } from '../../src/metadata/frame-json.ts';
import { loadInferConfig } from '../../src/services/infer/config.ts';
import { type Inference, openInference } from '../../src/services/infer/service.ts';
import { readFrames } from '../support/delivered.ts';

export interface InferWorld extends Inference, AsyncDisposable {
  /** What the file sink has, in its order. */
  frames(): Promise<FrameJson[]>;
}

/** `sightline infer` without its command and HTTP server, in this process; its workers are real. */
export async function startInference(folder: string, config: object): Promise<InferWorld> {
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'infer.json');
  const out = join(folder, 'out');
  const sinks = [{ id: 'files', type: 'file', dir: out, formats: ['ndjson'] }];
  await writeFile(file, JSON.stringify({ dataDir: 'data', sinks, ...config }));
  const cleanup = new Cleanup();
  const inference = await openInference({
    loaded: await loadInferConfig(file),
    logger: createLogger({ level: 'error' }),
    onResult: () => undefined,
    cleanup,
  });
  return {
    ...inference,
    frames: () => readFrames(out),
    [Symbol.asyncDispose]: () => cleanup[Symbol.asyncDispose](),
  };
}
