import type { SightlineError } from '../common/errors.ts';
import { EXIT_CODES } from '../worker/protocol.ts';
import type { WorkerExit } from './types.ts';

/** How far a stop had to go; `cut`: the worker said that its drain came to the limit. */
export type StopStep = 'drain' | 'cut' | 'SIGTERM' | 'SIGKILL';

export interface ExitFacts {
  readonly code: number | null;
  readonly signal: string | null;
  /** Why we gave it up and killed it; secrets removed. */
  readonly fault?: Pick<SightlineError, 'code' | 'message'>;
  /** Where our stop was when it ended; absent when we had not asked. */
  readonly step?: StopStep;
  readonly stderrTail: readonly string[];
}

const MEANING: ReadonlyMap<number, string> = new Map([
  [EXIT_CODES.badGraph, 'the graph could not be built'],
  [EXIT_CODES.pipelineFailed, 'its pipeline failed'],
  [EXIT_CODES.frozen, 'its pipeline was frozen'],
  [EXIT_CODES.parentGone, 'its control line was closed'],
]);

const STOPPED_BY: Readonly<Record<StopStep, string>> = {
  drain: 'drained and left',
  cut: 'left at the limit of its drain, with frames under way',
  SIGTERM: 'did not leave after its drain and was ended by SIGTERM',
  SIGKILL: 'did not leave after SIGTERM and was ended by SIGKILL',
};

/** Says what an exit was: by itself, asked for, or a death. */
export function classifyExit(facts: ExitFacts): WorkerExit {
  const { code, signal, fault, step } = facts;
  const common = {
    ...(code === null ? {} : { code }),
    ...(signal === null ? {} : { signal }),
    stderrTail: [...facts.stderrTail],
    at: new Date().toISOString(),
  };
  if (fault !== undefined) {
    return { kind: 'died', fault: fault.code, message: fault.message, ...common };
  }
  const clean = code === EXIT_CODES.ended;
  if (step !== undefined && (clean || step.startsWith('SIG'))) {
    return { kind: 'stopped', message: `The worker ${STOPPED_BY[step]}`, ...common };
  }
  if (clean)
    return { kind: 'ended', message: 'The worker left: all its streams are over', ...common };
  const during = step === undefined ? '' : ' while it drained';
  return {
    kind: 'died',
    message: `The worker died${during}: ${describe(code, signal)}`,
    ...common,
  };
}

function describe(code: number | null, signal: string | null): string {
  if (signal !== null) return `killed by ${signal}`;
  const meaning = MEANING.get(code ?? -1);
  return meaning === undefined ? `exit code ${code}` : `exit code ${code} (${meaning})`;
}
