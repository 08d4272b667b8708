import { SightlineError } from '../../common/errors.ts';
import { preparingReason } from '../engine-reason.ts';
import type { CompiledPipeline, EngineStore } from '../types.ts';
import type { LaneStreams } from './lane-streams.ts';

/** Waits until the engines of the pipeline are built; its streams are `preparing` as long as one is missing. */
export async function prepareEngines(
  { engines = [], pipelineId }: CompiledPipeline,
  store: EngineStore | undefined,
  { streams, signal }: { streams: LaneStreams; signal: AbortSignal },
): Promise<void> {
  if (engines.length === 0) return;
  if (store === undefined) {
    const message = `Pipeline "${pipelineId}" needs TensorRT engines, but there is no engine cache`;
    throw new SightlineError('SL_INTERNAL', message);
  }
  try {
    await store.ensure(engines, {
      signal,
      onProgress: (progress) => {
        const reason = preparingReason(progress);
        for (const stream of streams.owned()) {
          if (stream.state === 'preparing') stream.explain(reason);
          else stream.enter('preparing', { reason });
        }
      },
    });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  if (signal.aborted) return;
  for (const stream of streams.owned()) if (stream.state === 'preparing') stream.enter('pending');
}
