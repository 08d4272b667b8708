import { SightlineError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { deferred } from '../common/waits.ts';
import { type EngineRequest, engineBuildGraph } from '../pipeline/engine-request.ts';
import type { StreamEvent, StreamPolicy, WorkerEvent } from '../worker/protocol.ts';
import { describeEngine } from './engine-reason.ts';
import { ENGINE_BUILD_LIMIT_MS, type EngineBuilder } from './engine-store.ts';
import { Scrubber } from './scrubber.ts';
import type { WorkerCommand } from './worker-command.ts';
import { WorkerProcess } from './worker-process.ts';

/** Lines of the builder's output that a failure carries. */
const LAST_LINES = 8;

export interface EngineBuilderOptions {
  /** A worker of its own for each build. */
  readonly command: WorkerCommand;
  readonly logger: Logger;
  /** Default 30 minutes. */
  readonly limitMs?: number;
}

/** Builds engines in worker processes: nvinfer builds what it does not find, while its element starts. */
export function createEngineBuilder(options: EngineBuilderOptions): EngineBuilder {
  return (request, signal) => buildEngine(request, signal, options);
}

async function buildEngine(
  request: EngineRequest,
  signal: AbortSignal,
  { command, logger, limitMs = ENGINE_BUILD_LIMIT_MS }: EngineBuilderOptions,
): Promise<void> {
  const ran = deferred<void>();
  ran.promise.catch(() => undefined);
  const worker = await WorkerProcess.launch(
    {
      command,
      scrubber: new Scrubber([]),
      logger: logger.child({ engine: request.key }),
      limits: { startMs: limitMs },
      onEvent: (event) => settle(event, ran),
      onRecords: async () => undefined,
      onExit: () => undefined,
    },
    { signal },
  );
  const onAbort = () => ran.reject(new SightlineError('SL_CLOSED', 'it was given up'));
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  void worker.exited.then(({ message }) => {
    ran.reject(new SightlineError('SL_WORKER_DIED', message));
  });
  try {
    const graphs = [engineBuildGraph(request)];
    const stream = policyOf(limitMs);
    // The answer to the start comes when the engine is built; that it then runs, an event says.
    worker.start({ pipelineId: `engine-${request.key}`, graphs, stream }).catch(ran.reject);
    await ran.promise;
  } catch (cause) {
    const { stderrTail } = await worker.stop({ drainMs: 0 });
    throw buildFailure(request, cause as Error, stderrTail);
  } finally {
    signal.removeEventListener('abort', onAbort);
    await worker.stop({ drainMs: 0 });
  }
}

/** The first picture through nvinfer proves the engine; any end before it is a failure. */
function settle(event: WorkerEvent, ran: { resolve(): void; reject(error: Error): void }): void {
  if (event.event !== 'stream') return;
  const { phase, code, message = `the pipeline is ${phase}` }: StreamEvent = event;
  if (phase === 'live') ran.resolve();
  else if (phase !== 'connecting') {
    ran.reject(new SightlineError('SL_PIPELINE_FAILED', message, { details: { code } }));
  }
}

function policyOf(limitMs: number): StreamPolicy {
  return {
    startTimeoutMs: limitMs,
    firstFrameTimeoutMs: limitMs,
    stallTimeoutMs: limitMs,
    backoffBaseMs: limitMs,
    backoffCapMs: limitMs,
    authProbeMs: limitMs,
  };
}

function buildFailure(
  request: EngineRequest,
  cause: Error,
  stderrTail: readonly string[],
): SightlineError {
  const lines = stderrTail.slice(-LAST_LINES);
  const last = lines.length === 0 ? '' : `. Its last lines: ${lines.join(' | ')}`;
  return new SightlineError(
    'SL_ENGINE_FAILED',
    `Cannot build the TensorRT engine of ${describeEngine(request)}: ${cause.message}${last}`,
    { cause },
  );
}
