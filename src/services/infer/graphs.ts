import type { PlannedAccelerator } from '../../control/types.ts';
import { resolveFrames } from '../../pipeline/frames-pipeline.ts';
import type { Graph } from '../../pipeline/graph.ts';
import { plannedProvider, startPolicy } from '../compiler.ts';
import { writeGeneratedFiles } from '../generated-files.ts';
import { type LowerOptions, lower } from '../lower.ts';
import { preload } from '../preload.ts';
import type { InferConfig } from './config.ts';

export interface GraphMaker {
  readonly make: (streamId: string, socketPath: string) => Promise<Graph>;
  /** What they are made for. */
  readonly accelerator: PlannedAccelerator;
  /** Longest start of one, ms; absent: as usual. */
  readonly startTimeoutMs?: number;
}

/** Makes the graphs of one model: every camera gets one of its own, which fetches its frames at a socket. */
export async function graphMaker(
  route: InferConfig['models'][number],
  options: LowerOptions,
): Promise<GraphMaker> {
  const { accelerator, infer, secondary, track, onnxRuntime } = route;
  const parts = {
    infer,
    ...(secondary === undefined ? {} : { secondary }),
    ...(track === undefined ? {} : { track }),
    ...(accelerator === undefined ? {} : { accelerator }),
    ...(onnxRuntime === undefined ? {} : { onnxRuntime }),
  };
  const models = await preload({ ...parts, id: 'frames', streams: [] }, options.modelsDir);
  const compile = async (streamId: string, socketPath: string) => {
    const spec = { ...parts, id: 'frames', streams: [{ id: streamId }], socketPath };
    const pipeline = resolveFrames(spec, { models });
    const { lowered, fallbackReason } = await lower(pipeline, models, options);
    await writeGeneratedFiles(lowered.files);
    return { pipeline, lowered, fallbackReason };
  };
  // What is wrong with the model or its settings shows before the first frame.
  const { pipeline, lowered, fallbackReason } = await compile('camera', '/');
  const { policy } = startPolicy(lowered);
  return {
    make: async (streamId, socketPath) => (await compile(streamId, socketPath)).lowered.graphs[0]!,
    accelerator: {
      policy: pipeline.accelerator,
      backend: lowered.backend,
      executionProvider: plannedProvider(lowered),
      ...(fallbackReason === undefined ? {} : { fallbackReason }),
    },
    ...policy,
  };
}
