import { childPointer, type ValueProblem } from '../../common/check.ts';
import { markSecrets } from '../../common/schema.ts';
import { Secret } from '../../common/secret.ts';
import { MASK } from '../../control/scrubber.ts';
import { SINK_TYPES, SinkSpec } from '../../sinks/specs.ts';

/** What may be made through the API where the configuration does not say: what writes to no disk of this machine. */
export const API_SINK_TYPES = SINK_TYPES.filter((type) => type !== 'file');

/** The spec with its secrets as `Secret`s. */
export function marked(spec: object): object {
  return markSecrets(spec, SinkSpec) as object;
}

/**
 * What a spec that came over the API may not hold: types that are not allowed, names of files of this machine, and a
 * mask in place of a secret.
 */
export function findForbidden(spec: SinkSpec, allowed: readonly string[]): readonly ValueProblem[] {
  const problems: ValueProblem[] = [];
  if (!allowed.includes(spec.type)) {
    const message = `sinks of type "${spec.type}" can only come from the configuration file, or be allowed by its http.sinkTypes`;
    problems.push({ pointer: '/type', message });
  }
  findFiles(marked(spec), '', problems);
  return problems;
}

function findFiles(value: unknown, pointer: string, problems: ValueProblem[]): void {
  if (value instanceof Secret) {
    const message = `is "${MASK}", and no secret is kept for it: give the secret itself`;
    if (value.reveal() === MASK) problems.push({ pointer, message });
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [key, item] of Object.entries(value)) {
    const at = childPointer(pointer, key);
    if (/File$/.test(key)) {
      const message = 'names a file of this machine: only a sink of the configuration file may';
      problems.push({ pointer: at, message });
    } else findFiles(item, at, problems);
  }
}
