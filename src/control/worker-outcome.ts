import type { BackoffOptions } from '../common/retry.ts';
import { EXIT_CODES } from '../worker/protocol.ts';
import type { Reason, WorkerExit } from './types.ts';

/** Another try, after a wait that `backoff` bounds where it is not the usual one. */
export interface TryAgain {
  readonly next: 'again';
  /** A worker that ran is dead: the wait goes by the deaths before it. `killed`: by somebody else. */
  readonly died?: 'crash' | 'killed';
  readonly reason: Reason;
  readonly backoff?: BackoffOptions;
}

/** What follows when a worker is gone: nothing, another try, or no use in trying. */
export type Outcome =
  | { readonly next: 'over' }
  | TryAgain
  | { readonly next: 'reject'; readonly reason: Reason };

/** Signals that a program does not send to itself: from a person, or from the kernel when memory runs out. */
const OUTSIDE: ReadonlySet<string> = new Set(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT']);

/** Of streams whose worker left without a word about them. */
export const ENDED: Reason = {
  code: 'SL_SOURCE_ENDED',
  message: 'The worker left because the source is over',
};

export function outcomeOf(exit: WorkerExit): Outcome {
  if (exit.kind !== 'died') return { next: 'over' };
  if (exit.code === EXIT_CODES.badGraph) {
    return { next: 'reject', reason: { code: 'SL_PIPELINE_FAILED', message: exit.message } };
  }
  const code = exit.fault ?? 'SL_WORKER_DIED';
  const crash = exit.fault !== undefined || !OUTSIDE.has(exit.signal ?? '');
  return {
    next: 'again',
    died: crash ? 'crash' : 'killed',
    reason: { code, message: exit.message },
  };
}
