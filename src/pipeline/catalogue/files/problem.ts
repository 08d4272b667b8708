/** What is wrong in a configuration file, before it is known which node reads it. */
export interface FileProblem {
  readonly level: 'error' | 'warning';
  readonly group?: string;
  readonly key?: string;
  readonly line?: number;
  readonly message: string;
}

export function fileError(message: string, place: Omit<FileProblem, 'level' | 'message'> = {}) {
  return { level: 'error', message, ...place } satisfies FileProblem;
}

export function fileWarning(message: string, place: Omit<FileProblem, 'level' | 'message'> = {}) {
  return { level: 'warning', message, ...place } satisfies FileProblem;
}
