/** `ok` works, `warn` works but something is worth knowing, `fail` stops Sightline from working. */
export type FindingLevel = 'ok' | 'warn' | 'fail';

/** One thing the doctor looked at. */
export interface Finding {
  /** Stable name, for scripts: `elements`, `disk`, ... */
  readonly check: string;
  readonly level: FindingLevel;
  /** What was found, for a person. */
  readonly what: string;
  /** The command or action that mends it; absent when nothing is wrong. */
  readonly mend?: string;
}

export function ok(check: string, what: string): Finding {
  return { check, level: 'ok', what };
}

export function warn(check: string, what: string, mend: string): Finding {
  return { check, level: 'warn', what, mend };
}

export function fail(check: string, what: string, mend: string): Finding {
  return { check, level: 'fail', what, mend };
}
