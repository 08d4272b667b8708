import type { EngineRequest } from '../pipeline/engine-request.ts';
import type { EngineProgress, Reason } from './types.ts';

/** Names an engine for people: model, precision, batch, GPU. */
export function describeEngine({ model, precision, batchSize, gpuId }: EngineRequest): string {
  return `${model} (${precision}, batch ${batchSize}, GPU ${gpuId})`;
}

/** Why a stream is `preparing`. */
export function preparingReason({ request, phase, elapsedMs }: EngineProgress): Reason {
  const engine = `the TensorRT engine of ${describeEngine(request)}`;
  const seconds = Math.round(elapsedMs / 1000);
  const what =
    phase === 'building'
      ? `Building ${engine} for ${seconds} s`
      : `Waiting for ${seconds} s to build ${engine}: another one is built first`;
  return {
    code: 'SL_ENGINE_PREPARING',
    message: `${what}. The first start with a model takes minutes; later ones use what was built`,
  };
}
