import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import { dispose, ready, setBackend, tensor4d } from '@tensorflow/tfjs-core';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { findPackageFile } from '../../src/models/package-file.ts';

const require = createRequire(import.meta.url);

/** centernet.json of the package the models are made from. */
export const CENTERNET_JSON = findPackageFile('@vladmandic/human', 'models/centernet.json');

/** One row of `detections`: corners in pixels of the input. */
export interface Row {
  readonly corners: readonly [number, number, number, number];
  readonly score: number;
  readonly classId: number;
}

/** Runs pictures (RGB bytes, 512x512) through the original model in TensorFlow.js. */
export async function runOriginal(frames: readonly Uint8Array[]): Promise<Row[][]> {
  setWasmPaths(`${dirname(require.resolve('@tensorflow/tfjs-backend-wasm'))}/`);
  setThreadsCount(1);
  await setBackend('wasm');
  await ready();
  const description = JSON.parse(await readFile(CENTERNET_JSON, 'utf8'));
  const weights = await readFile(CENTERNET_JSON.replace('.json', '.bin'));
  const model = await loadGraphModel({
    load: async () => ({
      ...description,
      weightSpecs: description.weightsManifest[0].weights,
      weightData: Uint8Array.from(weights).buffer,
    }),
  });
  const results: Row[][] = [];
  for (const frame of frames) {
    const input = tensor4d(Float32Array.from(frame), [1, 512, 512, 3]);
    const output = model.execute({ 'tower_0/images': input }, 'tower_0/detections');
    const single = Array.isArray(output) ? output[0]! : output;
    results.push(toRows((await single.data()) as Float32Array));
    dispose([input, output].flat());
  }
  model.dispose();
  return results;
}

/** A converted model in ONNX Runtime on one thread. */
export class OnnxModel {
  readonly #session: InferenceSession;
  readonly #size: { readonly width: number; readonly height: number };

  private constructor(session: InferenceSession, size: { width: number; height: number }) {
    this.#session = session;
    this.#size = size;
  }

  static async load(
    model: Uint8Array,
    size: { width: number; height: number },
  ): Promise<OnnxModel> {
    const options = { intraOpNumThreads: 1, logSeverityLevel: 3 } as const;
    return new OnnxModel(await InferenceSession.create(model, options), size);
  }

  /** Rows of each picture (RGB bytes); all pictures go in one batch. */
  async run(frames: readonly Uint8Array[]): Promise<Row[][]> {
    const { width, height } = this.#size;
    const area = width * height;
    const input = new Float32Array(frames.length * 3 * area);
    frames.forEach((frame, index) => {
      for (let channel = 0; channel < 3; channel++) {
        const plane = (index * 3 + channel) * area;
        for (let pixel = 0; pixel < area; pixel++) {
          input[plane + pixel] = frame[3 * pixel + channel]!;
        }
      }
    });
    const images = new Tensor('float32', input, [frames.length, 3, height, width]);
    const { detections } = await this.#session.run({ images });
    const values = detections!.data as Float32Array;
    return frames.map((_, index) => toRows(values.subarray(600 * index, 600 * (index + 1))));
  }
}

function toRows(values: Float32Array): Row[] {
  return Array.from({ length: 100 }, (_, index) => {
    const [x1, y1, x2, y2, score, classId] = values.subarray(6 * index, 6 * index + 6);
    return { corners: [x1!, y1!, x2!, y2!], score: score!, classId: classId! };
  });
}

/** Greatest distance between corners and between scores of two rows of the same class. */
export function difference(left: Row, right: Row): { pixels: number; score: number } {
  if (left.classId !== right.classId) return { pixels: Infinity, score: Infinity };
  const pixels = left.corners.map((value, index) => Math.abs(value - right.corners[index]!));
  return { pixels: Math.max(...pixels), score: Math.abs(left.score - right.score) };
}
