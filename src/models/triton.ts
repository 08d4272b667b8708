import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { linkOrCopy, writeFileIfChanged } from '../common/files.ts';
import type { LoadedManifest } from './manifest.ts';
import { checkTriton } from './nvinferserver.ts';
import { formatProtoText } from './proto-text.ts';

export interface TritonOptions {
  readonly batchSize: number;
  /** What TensorRT, inside of ONNX Runtime, computes in. */
  readonly precision: 'fp32' | 'fp16';
  readonly gpuId: number;
  /** Folder on the machine of Triton where it keeps engines; absent: it builds them at each start. */
  readonly engineCache?: string;
}

/** The only version of a model that is laid out here; nvinferserver asks for the latest. */
const VERSION = '1';

/**
 * Text of a model's `config.pbtxt`: ONNX Runtime with TensorRT as its provider.
 * @throws SightlineError `SL_MODEL_INVALID` for a model with a fixed batch.
 */
export function formatTritonConfig(model: LoadedManifest, options: TritonOptions): string {
  checkTriton(model);
  const { name, input, outputs, onnx } = model.manifest;
  const channels = input.colour === 'gray' ? 1 : 3;
  const picture =
    input.layout === 'nchw'
      ? [channels, input.height, input.width]
      : [input.height, input.width, channels];
  const type = { word: 'TYPE_FP32' };
  const { precision, engineCache } = options;
  const parameters = [
    { key: 'precision_mode', value: precision.toUpperCase() },
    ...(engineCache === undefined
      ? []
      : [
          { key: 'trt_engine_cache_enable', value: 'true' },
          { key: 'trt_engine_cache_path', value: engineCache },
        ]),
  ];
  return formatProtoText({
    name,
    backend: 'onnxruntime',
    default_model_filename: onnx.file,
    max_batch_size: options.batchSize,
    input: [{ name: input.name, data_type: type, dims: picture }],
    output: outputs.map(({ name: output, shape }) => ({
      name: output,
      data_type: type,
      dims: shape.slice(1).map((size) => (typeof size === 'number' ? size : -1)),
    })),
    instance_group: [{ count: 1, kind: { word: 'KIND_GPU' }, gpus: [options.gpuId] }],
    optimization: {
      execution_accelerators: {
        gpu_execution_accelerator: [{ name: 'tensorrt', parameters }],
      },
    },
  });
}

/**
 * Lays a model out in a Triton repository: `<repository>/<name>/config.pbtxt` and `<name>/1/<file>.onnx`. Idempotent.
 * Returns the model's folder.
 */
export async function exportTriton(
  model: LoadedManifest,
  repository: string,
  options: TritonOptions,
): Promise<string> {
  const { name, onnx } = model.manifest;
  const folder = resolve(repository, name);
  await writeFileIfChanged(folder, 'config.pbtxt', formatTritonConfig(model, options));
  const version = join(folder, VERSION);
  await mkdir(version, { recursive: true });
  await linkOrCopy(model.onnxFile, join(version, onnx.file));
  return folder;
}
