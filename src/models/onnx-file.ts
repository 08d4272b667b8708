import { readFile } from 'node:fs/promises';
import onnxProto, { type onnx as Onnx } from 'onnx-proto';
import { SightlineError } from '../common/errors.ts';

const { onnx } = onnxProto;

/** A tensor the graph takes or gives. A free dimension has its name, or `?`. */
export interface OnnxTensor {
  readonly name: string;
  /** ONNX's name of the element type, for example FLOAT. */
  readonly type: string;
  /** Absent when the file does not say. */
  readonly shape?: readonly (number | string)[];
}

export interface OnnxSummary {
  readonly opset: number;
  readonly nodeCount: number;
  readonly inputs: readonly OnnxTensor[];
  readonly outputs: readonly OnnxTensor[];
}

/**
 * Reads what an ONNX file says of itself, without a runtime.
 * @throws SightlineError `SL_MODEL_NOT_FOUND` when there is no such file, `SL_MODEL_INVALID` when it is cut off or no
 * ONNX model.
 */
export async function inspectOnnx(file: string): Promise<OnnxSummary> {
  const model = decode(file, await readBytes(file));
  const graph = model.graph;
  const opset = model.opsetImport.find(({ domain }) => !domain || domain === 'ai.onnx')?.version;
  if (!graph?.node?.length || !graph.output?.length || opset === undefined || opset === null) {
    throw new SightlineError(
      'SL_MODEL_INVALID',
      `Cannot use ${file}: it is cut off or no ONNX model (no graph or no opset in it)`,
    );
  }
  const constants = new Set((graph.initializer ?? []).map(({ name }) => name));
  return {
    opset: Number(opset),
    nodeCount: graph.node.length,
    inputs: (graph.input ?? []).filter(({ name }) => !constants.has(name)).map(toTensor),
    outputs: graph.output.map(toTensor),
  };
}

async function readBytes(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new SightlineError(
      code === 'ENOENT' ? 'SL_MODEL_NOT_FOUND' : 'SL_MODEL_INVALID',
      `Cannot read the ONNX file ${file}: ${code === 'ENOENT' ? 'there is no such file' : message}`,
      { cause },
    );
  }
}

function decode(file: string, bytes: Buffer): Onnx.ModelProto {
  try {
    return onnx.ModelProto.decode(bytes);
  } catch (cause) {
    throw new SightlineError(
      'SL_MODEL_INVALID',
      `Cannot use ${file}: it is cut off or no ONNX model (${(cause as Error).message})`,
      { cause },
    );
  }
}

function toTensor({ name, type }: Onnx.IValueInfoProto): OnnxTensor {
  const tensor = type?.tensorType;
  const elementType = onnx.TensorProto.DataType[tensor?.elemType ?? 0] ?? 'UNDEFINED';
  const dims = tensor?.shape?.dim;
  return {
    name: name ?? '',
    type: elementType,
    ...(dims ? { shape: dims.map(toSize) } : {}),
  };
}

function toSize({ dimValue, dimParam }: Onnx.TensorShapeProto.IDimension): number | string {
  const size = dimValue === undefined || dimValue === null ? 0 : Number(dimValue);
  return size > 0 ? size : dimParam || '?';
}
