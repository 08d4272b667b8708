import { SightlineError } from '../common/errors.ts';
import { loadModel, type Model } from '../models/catalog.ts';
import type { PipelineSpec, StreamSpec } from '../pipeline/spec.ts';

/** Gives a loaded model, undefined for a name that was not asked for; throws what is wrong with one that was. */
export type LoadedModels = (name: string) => Model | undefined;

/** Reads every model a spec names: lowering is pure. What is wrong with one is told where it is looked up. */
export async function preload(
  { infer, secondary = [] }: PipelineSpec | StreamSpec,
  modelsDir: string,
): Promise<LoadedModels> {
  const names = new Set([infer?.model ?? [], secondary.map(({ model }) => model)].flat());
  const models = new Map<string, Model | SightlineError>();
  for (const name of names) {
    try {
      models.set(name, await loadModel(modelsDir, name));
    } catch (error) {
      if (!(error instanceof SightlineError)) throw error;
      models.set(name, error);
    }
  }
  return (name) => {
    const found = models.get(name);
    if (found instanceof SightlineError) throw found;
    return found;
  };
}
