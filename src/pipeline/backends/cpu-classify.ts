import { problemsError } from '../../common/check.ts';
import { SightlineError } from '../../common/errors.ts';
import type { GeneratedFile, GraphNode, LoweringNote } from '../graph.ts';
import type { ResolvedPipeline, ResolvedSecondary } from '../resolved.ts';
import type { CpuOptions } from './cpu.ts';
import { gpuProperties } from './cpu-gpu.ts';

/**
 * Gives the files of one classifier, its configuration first. Pure: equal steps give equal files.
 * @throws SightlineError where the model cannot do what is asked.
 */
export type ClassifierFileWriter = (
  step: ResolvedSecondary,
  origin: string,
) => readonly [GeneratedFile, ...GeneratedFile[]];

export interface CpuClassifiers {
  readonly files: readonly GeneratedFile[];
  /** The same for every stream. */
  readonly nodes: readonly GraphNode[];
  readonly notes: readonly LoweringNote[];
}

/**
 * Lowers secondary classifiers to an slclassify each, behind the tracker, so that objects are known again.
 * @throws SightlineError `SL_BACKEND_UNSUPPORTED` for secondary detectors; `SL_INTERNAL` without `classifierFiles`.
 */
export function lowerClassifiers(
  { id, secondary, track }: ResolvedPipeline,
  {
    onnxRuntimeLibrary,
    classifierFiles: write,
    gpu,
  }: Pick<CpuOptions, 'onnxRuntimeLibrary' | 'classifierFiles' | 'gpu'>,
): CpuClassifiers {
  refuseDetectors(id, secondary);
  const files: GeneratedFile[] = [];
  const notes: LoweringNote[] = [];
  const nodes = secondary.map((step, index): GraphNode => {
    const origin = `/secondary/${index}`;
    if (write === undefined) {
      const message = `Cannot lower pipeline "${id}": nothing writes the files of its classifiers`;
      throw new SightlineError('SL_INTERNAL', message);
    }
    if (track.type === 'none' && step.interval > 0) {
      const message =
        'without a tracker no object is known again, so each is looked at on each frame';
      notes.push({ pointer: `${origin}/interval`, message });
    }
    const [config, ...others] = write(step, origin);
    files.push(config, ...others);
    return {
      id: `classify-${step.id}`,
      factory: 'slclassify',
      role: 'classify',
      properties: {
        'config-file-path': config.path,
        'unique-id': step.uniqueId,
        'batch-size': step.batchSize,
        'onnxruntime-library': onnxRuntimeLibrary,
        ...gpuProperties(gpu),
      },
      origin,
    };
  });
  const unique = new Map(files.map((file) => [file.path, file]));
  return { files: [...unique.values()], nodes, notes };
}

/** A detector inside of objects has no element on the CPU. */
function refuseDetectors(id: string, secondary: readonly ResolvedSecondary[]): void {
  const message = 'needs the DeepStream backend: on the CPU only classifiers look at objects';
  const problems = secondary.flatMap(({ model }, index) =>
    model.kind === 'detector' ? [{ pointer: `/secondary/${index}/model`, message }] : [],
  );
  if (problems.length === 0) return;
  throw problemsError(problems, { code: 'SL_BACKEND_UNSUPPORTED', subject: `pipeline "${id}"` });
}
