import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { SightlineError } from '../common/errors.ts';

/** The GPU and the software an engine is built for: TensorRT loads it on no other. */
export interface EngineMachine {
  /** As the driver names it, for example `NVIDIA L4`. */
  readonly gpuName: string;
  /** CUDA compute capability, for example `8.9`, where it is known. */
  readonly computeCapability?: string;
  /** TensorRT's version, for example `10.16.1.11`. */
  readonly tensorRt: string;
  /** DeepStream's version, for example `9.1`. */
  readonly deepStream: string;
}

/** Everything the bytes of an engine depend on. */
export interface EngineFacts extends EngineMachine {
  /** SHA-256 of the ONNX file, lower-case hex. */
  readonly modelSha256: string;
  readonly precision: 'fp32' | 'fp16' | 'int8';
  readonly batchSize: number;
  /** Part of nvinfer's file name. */
  readonly gpuId: number;
  /** SHA-256 of the calibration table, for int8. */
  readonly calibrationSha256?: string;
  /** Network input, channels;height;width: fixes what the ONNX file leaves open. */
  readonly inputDims: readonly number[];
}

/** Where an engine lives in the cache. Paths are absolute when the cache's is. */
export interface EnginePlace {
  readonly key: string;
  readonly folder: string;
  /** The model, where nvinfer must find it: nvinfer writes the engine beside it. */
  readonly onnxFile: string;
  readonly engineFile: string;
}

/** Name of the model in an engine's folder. */
const ONNX_NAME = 'model.onnx';

/**
 * The key of an engine: SHA-256 (32 hex digits of it) over all facts, each named, in a fixed order. A new driver alone
 * does not change it: nvinfer rebuilds what TensorRT then refuses.
 */
export function engineKey(facts: EngineFacts): string {
  const { modelSha256, precision, batchSize, gpuId, inputDims } = facts;
  if (!/^[0-9a-f]{64}$/.test(modelSha256)) {
    throw new SightlineError('SL_INTERNAL', `"${modelSha256}" is no SHA-256 of a model`);
  }
  const named = [
    ['format', 1],
    ['model', modelSha256],
    ['precision', precision],
    ['calibration', facts.calibrationSha256 ?? null],
    ['batch', batchSize],
    ['gpu-id', gpuId],
    ['input', inputDims],
    ['gpu', facts.gpuName],
    ['compute', facts.computeCapability ?? null],
    ['tensorrt', facts.tensorRt],
    ['deepstream', facts.deepStream],
  ];
  return createHash('sha256').update(JSON.stringify(named)).digest('hex').slice(0, 32);
}

/** Where the engine of these facts belongs; pure. nvinfer itself chooses the engine's name, by this rule. */
export function engineLayout(cacheDir: string, facts: EngineFacts): EnginePlace {
  const key = engineKey(facts);
  const folder = join(cacheDir, key);
  const onnxFile = join(folder, ONNX_NAME);
  const { batchSize, gpuId, precision } = facts;
  const engineFile = `${onnxFile}_b${batchSize}_gpu${gpuId}_${precision}.engine`;
  return { key, folder, onnxFile, engineFile };
}
