import { readFile } from 'node:fs/promises';
import { SightlineError } from '../../common/errors.ts';
import { type ActivationForm, BackboneEmitter } from './backbone.ts';
import { emitDecodeTail, MAX_DETECTIONS } from './decode-tail.ts';
import { OnnxBuilder } from './onnx-builder.ts';
import { TfjsGraph } from './tfjs-graph.ts';

/** The deepest feature map is a 32nd of the input, and every step in between halves it exactly. */
const SIZE_STEP = 32;
const MAX_SIZE = 2048;

export interface CenternetOptions {
  /** Input size in pixels, multiples of 32 up to 2048. */
  readonly width: number;
  readonly height: number;
  /** Default `hard-sigmoid`, the form that ships. */
  readonly activation?: ActivationForm;
}

/**
 * Converts the CenterNet of the npm package @vladmandic/human to ONNX: input `images` [N, 3, height, width] (RGB,
 * 0 to 255), output `detections` [N, 100, 6] (see `emitDecodeTail`). The same input gives the same bytes.
 * @param modelFile path of centernet.json; its weights lie beside it in centernet.bin.
 * @throws SightlineError `SL_MODEL_INVALID` for a size that does not fit or a file that is not this model.
 */
export async function convertCenternet(
  modelFile: string,
  options: CenternetOptions,
): Promise<Uint8Array> {
  const { width, height, activation = 'hard-sigmoid' } = options;
  checkSize(width, height);
  const [json, weights] = await Promise.all([
    readFile(modelFile, 'utf8'),
    readFile(modelFile.replace(/\.json$/, '.bin')),
  ]);
  const builder = new OnnxBuilder();
  const backbone = new BackboneEmitter(new TfjsGraph(json, weights), builder, activation);
  const heads = {
    scores: backbone.emit('tower_0/keypoints'),
    sides: backbone.emit('tower_0/wh'),
  };
  const output = emitDecodeTail(builder, heads, { width, height });
  return builder.build({
    graphName: 'centernet',
    input: ['images', ['N', 3, height, width]],
    output: [output, ['N', MAX_DETECTIONS, 6]],
  });
}

function checkSize(width: number, height: number): void {
  const fits = (size: number): boolean =>
    Number.isInteger(size) && size >= SIZE_STEP && size <= MAX_SIZE && size % SIZE_STEP === 0;
  if (fits(width) && fits(height)) return;
  throw new SightlineError(
    'SL_MODEL_INVALID',
    `Cannot convert CenterNet for an input of ${width}x${height}: width and height must be multiples of ${SIZE_STEP} from ${SIZE_STEP} to ${MAX_SIZE}`,
  );
}
