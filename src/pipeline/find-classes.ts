import type { ValueProblem } from '../common/check.ts';
import { didYouMean } from '../common/near.ts';
import type { ResolvedModel } from './resolved.ts';

/** Indices of `classes` in a model's labels, ascending. What is no label becomes a problem at its place below `pointer`. */
export function findClasses(
  classes: readonly string[],
  { name, labels }: ResolvedModel,
  pointer: string,
  problems: ValueProblem[],
): readonly number[] {
  const ids: number[] = [];
  for (const [index, label] of classes.entries()) {
    const id = labels.indexOf(label);
    if (id >= 0) ids.push(id);
    else {
      const hint = didYouMean(label, labels);
      const message = `${JSON.stringify(label)} is no label of the model "${name}"${hint}`;
      problems.push({ pointer: `${pointer}/${index}`, message });
    }
  }
  return ids.sort((a, b) => a - b);
}
