import type { ValueProblem } from '../common/check.ts';
import { didYouMean } from '../common/near.ts';
import { findClasses } from './find-classes.ts';
import { PRIMARY_ID, type ResolvedModel, type ResolvedSecondary } from './resolved.ts';
import type { SecondarySpec } from './spec.ts';

interface Step {
  readonly uniqueId: number;
  readonly model: ResolvedModel | undefined;
}

/**
 * Looks up the models, steps and labels of the secondary steps. A step works on `infer` or on one that stands before
 * it, and only a detector finds objects to work on.
 */
export function resolveSecondary(
  specs: readonly SecondarySpec[],
  primary: ResolvedModel | undefined,
  find: (name: string, pointer: string) => ResolvedModel | undefined,
  problems: ValueProblem[],
): readonly ResolvedSecondary[] {
  const steps = new Map<string, Step>([['infer', { uniqueId: PRIMARY_ID, model: primary }]]);
  const resolved: ResolvedSecondary[] = [];
  for (const [index, spec] of specs.entries()) {
    const pointer = `/secondary/${index}`;
    const { id, on, threshold, interval, minWidth, minHeight } = spec;
    const step = findStep(spec, pointer, steps, problems);
    const model = find(spec.model, `${pointer}/model`);
    const uniqueId = PRIMARY_ID + 1 + index;
    if (steps.has(id)) {
      problems.push({ pointer: `${pointer}/id`, message: `the id "${id}" is taken` });
    }
    steps.set(id, { uniqueId, model });
    if (model === undefined || step === undefined) continue;
    const classIds =
      on?.classes &&
      step.model &&
      findClasses(on.classes, step.model, `${pointer}/on/classes`, problems);
    const batchSize = spec.batchSize ?? (model.dynamicBatch ? 16 : 1);
    if (batchSize > 1 && !model.dynamicBatch) {
      const message = `must be 1: the model "${model.name}" takes one object at a time`;
      problems.push({ pointer: `${pointer}/batchSize`, message });
    }
    resolved.push({
      ...{ id, model, uniqueId, operateOn: step.uniqueId, batchSize },
      ...(classIds === undefined ? {} : { operateOnClassIds: classIds }),
      ...(threshold === undefined ? {} : { threshold }),
      ...{ interval, minWidth, minHeight },
    });
  }
  return resolved;
}

function findStep(
  { on }: SecondarySpec,
  pointer: string,
  steps: ReadonlyMap<string, Step>,
  problems: ValueProblem[],
): Step | undefined {
  const name = on?.step ?? 'infer';
  const step = steps.get(name);
  const at = `${pointer}/on/step`;
  if (step === undefined) {
    const hint = didYouMean(name, steps.keys());
    problems.push({ pointer: at, message: `no step "${name}" stands before this one${hint}` });
  } else if (step.model?.kind === 'classifier') {
    const message = `"${name}" is a classifier, which finds no objects to look at`;
    problems.push({ pointer: at, message });
  }
  return step;
}
