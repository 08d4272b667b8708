import { checkValue } from '../../common/check.ts';
import { toSightlineError } from '../../common/errors.ts';
import { asPipeline } from '../../control/desired/spec-edits.ts';
import type { JsonObject, Orchestrator } from '../../control/types.ts';
import type { StreamHost } from '../../fleet/hosted-streams.ts';
import { type PipelineSpec, StreamSpec } from '../../pipeline/spec.ts';

export interface OrchestratorHostOptions {
  readonly orchestrator: Orchestrator;
  /** Cores; default: what admission allows. */
  readonly capacity?: number | undefined;
  readonly drainMs: number;
}

/** Runs the fleet's streams through the orchestrator, each a pipeline of its own that the registry does not keep. */
export function orchestratorHost(options: OrchestratorHostOptions): StreamHost {
  const { orchestrator, drainMs } = options;
  const put = async (id: string, spec: Readonly<Record<string, unknown>>): Promise<void> => {
    await orchestrator.putPipeline(pipelineOf(id, spec), { source: 'fleet' });
  };
  return {
    start: put,
    change: put,
    stop: async (id, { drain }) => {
      try {
        await orchestrator.removePipeline(id, { drainMs: drain ? drainMs : 0, source: 'fleet' });
      } catch (error) {
        // It never came up.
        if (toSightlineError(error).code !== 'SL_NOT_FOUND') throw error;
      }
    },
    load: () => {
      const { limit, used, streams } = orchestrator.capacity();
      return {
        capacity: options.capacity ?? limit,
        used,
        streams: new Map(streams.map(({ id, demand }) => [id, demand])),
      };
    },
  };
}

function pipelineOf(id: string, spec: Readonly<Record<string, unknown>>): PipelineSpec {
  const subject = `stream "${id}" of the fleet`;
  const checked = checkValue({ ...spec, id }, StreamSpec, { subject }) as unknown as JsonObject;
  return asPipeline({ kind: 'stream', spec: checked }) as unknown as PipelineSpec;
}
