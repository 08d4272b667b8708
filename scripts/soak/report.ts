import { readdirSync, readFileSync } from 'node:fs';
import { quantile } from '../../bench/support/quantile.ts';

/** One long run. Throws when it finds its claim violated; prints what it measured in any case. */
export type Soak = (options: {
  readonly minutes: number;
  readonly print: (line: string) => void;
}) => Promise<void>;

export interface ProcessFigures {
  readonly rssMb: number;
  readonly fds: number;
  readonly threads: number;
}

export function figuresOf(pid: number): ProcessFigures {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
  return {
    rssMb: field('VmRSS') / 1024,
    fds: readdirSync(`/proc/${pid}/fd`).length,
    threads: field('Threads'),
  };
}

/** `median 12, p95 30, p99 31, max 40 (n 100)` */
export function summary(values: readonly number[]): string {
  const at = (share: number) => quantile(values, share).toFixed(0);
  return `median ${at(0.5)}, p95 ${at(0.95)}, p99 ${at(0.99)}, max ${at(1)} (n ${values.length})`;
}

/**
 * Figures of the first and the last third of a run, warm-up left out: medians, so that one garbage collection does not
 * decide.
 */
export function growth(samples: readonly ProcessFigures[]): {
  readonly first: ProcessFigures;
  readonly last: ProcessFigures;
} {
  const warm = samples.slice(Math.floor(samples.length / 5));
  const third = Math.max(1, Math.floor(warm.length / 3));
  return { first: medians(warm.slice(0, third)), last: medians(warm.slice(-third)) };
}

function medians(samples: readonly ProcessFigures[]): ProcessFigures {
  const of = (pick: (figures: ProcessFigures) => number) => quantile(samples.map(pick), 0.5);
  return {
    rssMb: of(({ rssMb }) => rssMb),
    fds: of(({ fds }) => fds),
    threads: of(({ threads }) => threads),
  };
}

export function print(figures: ProcessFigures): string {
  return `${figures.rssMb.toFixed(1)} MB, ${figures.fds} descriptors, ${figures.threads} threads`;
}
