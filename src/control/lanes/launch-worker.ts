import { withEnvironment } from '../worker-command.ts';
import { type WorkerOwner, WorkerProcess } from '../worker-process.ts';
import type { LaneHost } from './lane-host.ts';
import type { Program } from './program.ts';

/** Beyond the worker's own limit of a start. */
const START_ANSWER_MS = 5_000;

export interface LaunchOptions {
  readonly owner: Omit<WorkerOwner, 'scrubber' | 'limits'>;
  /** Calls the start off. */
  readonly signal: AbortSignal;
}

/** A process for a lane's program: the one that waits, where its environment does, else a new one. */
export async function launchWorker(
  { context, scrubber }: LaneHost,
  program: Program,
  { owner: given, signal }: LaunchOptions,
): Promise<WorkerProcess> {
  const { environment, policy } = program.pipeline;
  const { startTimeoutMs } = policy ?? {};
  // A worker that may take longer to start must be given the time to say so.
  const limits = {
    ...(startTimeoutMs === undefined ? {} : { startMs: startTimeoutMs + START_ANSWER_MS }),
    ...context.limits,
  };
  const owner: WorkerOwner = { ...given, scrubber, limits };
  const own = environment !== undefined && Object.keys(environment).length > 0;
  // One that waits has the usual environment.
  const spare = own ? undefined : await context.spare?.take();
  if (spare !== undefined) {
    spare.adopt(owner);
    return spare;
  }
  const blackBox = context.incidents?.openBlackBox();
  return WorkerProcess.launch(
    {
      ...owner,
      command: withEnvironment(context.command, environment),
      ...(blackBox === undefined ? {} : { blackBox }),
    },
    { signal },
  );
}
