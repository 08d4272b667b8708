import { checkValue } from '../common/check.ts';
import { deepFreeze } from './freeze.ts';
import { PipelineSpec, StreamSpec } from './spec.ts';
import type { PipelineInput, StreamInput } from './spec-input.ts';

export type { PipelineInput, StreamInput } from './spec-input.ts';

/**
 * A pipeline written in TypeScript: completed and checked by the compiler, and checked here as a file would be. The
 * result is frozen, with every default in it.
 *
 * @throws SightlineError `SL_SPEC_INVALID` with every problem and its JSON pointer.
 */
export function definePipeline(spec: PipelineInput): Readonly<PipelineSpec> {
  return deepFreeze(checkValue(structuredClone(spec), PipelineSpec));
}

/** The same for one stream with a pipeline of its own: a body of `POST /v1/streams`. */
export function defineStream(spec: StreamInput): Readonly<StreamSpec> {
  return deepFreeze(checkValue(structuredClone(spec), StreamSpec));
}
