import { resolveFrames } from '../../pipeline/frames-pipeline.ts';
import type { Graph } from '../../pipeline/graph.ts';
import { writeGeneratedFiles } from '../generated-files.ts';
import { lower } from '../lower.ts';
import { preload } from '../preload.ts';
import type { InferConfig } from './config.ts';

/** Makes the graphs of one model: every camera gets one of its own, which fetches its frames at a socket. */
export async function graphMaker(
  route: InferConfig['models'][number],
  options: { readonly modelsDir: string; readonly workDir: string },
): Promise<(streamId: string, socketPath: string) => Promise<Graph>> {
  const { infer, secondary, track } = route;
  const parts = {
    infer,
    ...(secondary === undefined ? {} : { secondary }),
    ...(track === undefined ? {} : { track }),
  };
  const models = await preload({ ...parts, id: 'frames', streams: [] }, options.modelsDir);
  const make = async (streamId: string, socketPath: string): Promise<Graph> => {
    const spec = { ...parts, id: 'frames', streams: [{ id: streamId }], socketPath };
    const { lowered } = await lower(resolveFrames(spec, { models }), models, options);
    await writeGeneratedFiles(lowered.files);
    return lowered.graphs[0]!;
  };
  // What is wrong with the model or its settings shows before the first frame.
  await make('camera', '/');
  return make;
}
