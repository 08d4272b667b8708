import { problemsError, type ValueProblem } from '../common/check.ts';
import type { ClassifierManifest, DetectorManifest, LoadedManifest, Manifest } from './manifest.ts';
import { inspectOnnx, type OnnxSummary, type OnnxTensor } from './onnx-file.ts';

/** The oldest operator set that ONNX Runtime promises to read. */
const MIN_OPSET = 7;

type Shape = readonly (number | string)[];

/**
 * Holds an ONNX file against its manifest and labels: names, ranks, sizes and element types of inputs and outputs, the
 * batch, and the number of classes the parser will read.
 * @param file the ONNX file. Default: the manifest's own.
 * @throws SightlineError `SL_MODEL_INVALID` with every contradiction, each at the manifest's JSON pointer.
 */
export async function checkOnnx(
  model: LoadedManifest,
  file: string = model.onnxFile,
): Promise<OnnxSummary> {
  const summary = await inspectOnnx(file);
  const problems = [
    ...checkOpset(summary),
    ...checkInput(model.manifest, summary),
    ...checkOutputs(model.manifest, summary),
    ...(model.manifest.task === 'detector'
      ? checkClasses(model.manifest, model.labels.length)
      : checkAttribute(model.manifest, model.labels.length)),
  ];
  if (problems.length > 0) {
    throw problemsError(problems, {
      code: 'SL_MODEL_INVALID',
      subject: `${file} with the manifest ${model.file}`,
    });
  }
  return summary;
}

function checkOpset({ opset }: OnnxSummary): ValueProblem[] {
  if (opset >= MIN_OPSET) return [];
  return [{ pointer: '/onnx', message: `the file uses opset ${opset}; ${MIN_OPSET} is needed` }];
}

function checkInput({ input, batch }: Manifest, summary: OnnxSummary): ValueProblem[] {
  if (summary.inputs.length !== 1) {
    const names = listNames(summary.inputs);
    return [
      { pointer: '/input', message: `the file has ${summary.inputs.length} inputs (${names})` },
    ];
  }
  const [tensor] = summary.inputs as [OnnxTensor];
  if (tensor.name !== input.name) {
    return [{ pointer: '/input/name', message: `the file's input is named "${tensor.name}"` }];
  }
  const problems = checkFloat('/input', tensor);
  const channels = input.colour === 'gray' ? 1 : 3;
  const picture =
    input.layout === 'nchw'
      ? [channels, input.height, input.width]
      : [input.height, input.width, channels];
  const expected = [batch === 'fixed' ? 1 : 'N', ...picture];
  problems.push(...compareShapes('/input', expected, tensor.shape));
  if (batch === 'dynamic' && typeof tensor.shape?.[0] === 'number') {
    const message = `the file takes ${tensor.shape[0]} frames at a time, no other number: write fixed, or export it with a free batch`;
    problems.push({ pointer: '/batch', message });
  }
  return problems;
}

function checkOutputs({ outputs }: Manifest, summary: OnnxSummary): ValueProblem[] {
  return outputs.flatMap(({ name, shape }, index) => {
    const pointer = `/outputs/${index}`;
    const tensor = summary.outputs.find((output) => output.name === name);
    if (tensor === undefined) {
      const message = `the file has no such output; it has ${listNames(summary.outputs)}`;
      return [{ pointer: `${pointer}/name`, message }];
    }
    return compareShapes(`${pointer}/shape`, shape, tensor.shape);
  });
}

function checkFloat(pointer: string, { name, type }: OnnxTensor): ValueProblem[] {
  if (type === 'FLOAT') return [];
  return [{ pointer, message: `"${name}" of the file is ${type}; 32-bit FLOAT is needed` }];
}

/** Sizes must be equal where both are known; a free size fits any. */
function compareShapes(
  pointer: string,
  expected: Shape,
  actual: Shape | undefined,
): ValueProblem[] {
  if (actual === undefined) return [];
  const fits =
    actual.length === expected.length &&
    actual.every((size, index) => {
      const wanted = expected[index];
      return typeof size === 'string' || typeof wanted === 'string' || size === wanted;
    });
  if (fits) return [];
  const message = `the file has [${actual.join(', ')}] where the manifest says [${expected.join(', ')}]`;
  return [{ pointer, message }];
}

/** One output of a probability for each label: [N, C], or the same with sizes of 1 behind. */
function checkAttribute({ outputs }: ClassifierManifest, labels: number): ValueProblem[] {
  if (outputs.length !== 1) {
    return [{ pointer: '/outputs', message: 'a classifier has exactly one output' }];
  }
  const [, classes, ...rest] = outputs[0]!.shape;
  if (classes === labels && rest.every((size) => size === 1)) return [];
  const shape = outputs[0]!.shape.join(', ');
  const message = `is [${shape}] where a classifier of ${labels} labels needs [N, ${labels}]`;
  return [{ pointer: '/outputs/0/shape', message }];
}

/** Which size of an output must be what, for a number of classes. */
function checkClasses({ parser, outputs }: DetectorManifest, classes: number): ValueProblem[] {
  const [first] = outputs as [Manifest['outputs'][number]];
  const expectAt = (position: number, sizes: readonly number[]): ValueProblem[] => {
    const size = first.shape.at(position);
    if (typeof size !== 'number' || sizes.includes(size)) return [];
    const message = `holds ${size} where ${parser} needs ${sizes.join(' or ')} for ${classes} labels`;
    return [{ pointer: '/outputs/0/shape', message }];
  };
  if (parser !== 'ssd' && parser !== 'detr' && outputs.length !== 1) {
    return [{ pointer: '/outputs', message: `${parser} reads exactly one output` }];
  }
  switch (parser) {
    case 'centernet':
      return expectAt(-1, [6]);
    case 'yolov8':
      return expectAt(-2, [4 + classes]);
    case 'yolov5':
    case 'yolox':
      return expectAt(-1, [5 + classes]);
    case 'ssd':
    case 'detr':
      return checkBoxesAndScores(outputs, parser, classes);
  }
}

/** One output of boxes [.., 4] and one of scores by class, with or without a class for "nothing". */
function checkBoxesAndScores(
  outputs: Manifest['outputs'],
  parser: 'ssd' | 'detr',
  classes: number,
): ValueProblem[] {
  if (outputs.length < 2) {
    return [{ pointer: '/outputs', message: `${parser} reads boxes and scores: name both` }];
  }
  const lasts = outputs.map(({ shape }) => shape.at(-1));
  if (lasts.some((size) => typeof size === 'string') || outputs.length > 2) return [];
  if (lasts.includes(4) && lasts.some((size) => size === classes || size === classes + 1)) {
    return [];
  }
  const message = `must be boxes of 4 numbers and ${classes} or ${classes + 1} scores each for ${classes} labels`;
  return [{ pointer: '/outputs', message }];
}

function listNames(tensors: readonly OnnxTensor[]): string {
  return tensors.map(({ name }) => `"${name}"`).join(', ');
}
