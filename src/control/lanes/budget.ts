import type { StatsEvent } from '../../worker/protocol.ts';
import type { Reason } from '../types.ts';
import type { WorkerBudget } from './settings.ts';

const MIB = 1024 * 1024;

export function budgetFor(streams: number, given: Partial<WorkerBudget>): WorkerBudget {
  return {
    rssBytes: 1024 * MIB + streams * 512 * MIB,
    threads: 128 + 64 * streams,
    fds: 256 + 64 * streams,
    ...given,
  };
}

/** What of its budget a worker with so many streams has used up; undefined when nothing. */
export function exceeded(
  { rssBytes, threads, fds }: Pick<StatsEvent, 'rssBytes' | 'threads' | 'fds'>,
  given: Partial<WorkerBudget>,
  streams: number,
): Reason | undefined {
  const budget = budgetFor(streams, given);
  const over = [
    rssBytes > budget.rssBytes && `memory ${mib(rssBytes)} of ${mib(budget.rssBytes)}`,
    threads > budget.threads && `threads ${threads} of ${budget.threads}`,
    fds > budget.fds && `file descriptors ${fds} of ${budget.fds}`,
  ].filter((text) => text !== false);
  if (over.length === 0) return undefined;
  return {
    code: 'SL_WORKER_BUDGET',
    message: `The worker is over its budget: ${over.join(', ')}. A fresh one takes over`,
  };
}

function mib(bytes: number): string {
  return `${Math.round(bytes / MIB)} MiB`;
}
