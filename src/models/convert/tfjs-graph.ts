import { SightlineError } from '../../common/errors.ts';

/** A node of a TensorFlow.js graph model. */
export interface TfNode {
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly string[];
  readonly attributes: Readonly<Record<string, TfAttribute>>;
}

/** A value of the graph's JSON; bytes (also names of operations) stand in base64. */
export interface TfAttribute {
  readonly s?: string;
  readonly list?: { readonly i?: readonly string[]; readonly s?: readonly string[] };
}

/** A constant, channels last as TensorFlow keeps it. */
export interface TfConstant {
  readonly shape: readonly number[];
  readonly values: Float32Array | Int32Array;
}

interface ModelFile {
  readonly modelTopology: {
    readonly node: readonly {
      readonly name: string;
      readonly op: string;
      readonly input?: readonly string[];
      readonly attr?: Readonly<Record<string, TfAttribute>>;
    }[];
  };
  readonly weightsManifest: readonly { readonly weights: readonly WeightEntry[] }[];
}

interface WeightEntry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly quantization?: { readonly dtype: string };
}

/** A TensorFlow.js graph model in memory: nodes by name and weights as 32-bit numbers. */
export class TfjsGraph {
  readonly #nodes = new Map<string, TfNode>();
  readonly #constants = new Map<string, TfConstant>();

  /**
   * @param json text of the model's .json file.
   * @param weights the model's .bin file.
   * @throws SightlineError `SL_MODEL_INVALID` when the weights do not fit the manifest.
   */
  constructor(json: string, weights: Uint8Array) {
    const model = JSON.parse(json) as ModelFile;
    for (const { name, op, input, attr } of model.modelTopology.node) {
      this.#nodes.set(name, { name, op, inputs: input ?? [], attributes: attr ?? {} });
    }
    let offset = 0;
    for (const entry of model.weightsManifest.flatMap((group) => group.weights)) {
      const size = byteLength(entry);
      if (offset + size > weights.length) throw doesNotFit(offset + size, weights.length);
      this.#constants.set(entry.name, {
        shape: entry.shape,
        values: decodeWeights(entry, weights.subarray(offset, offset + size)),
      });
      offset += size;
    }
    if (offset !== weights.length) throw doesNotFit(offset, weights.length);
  }

  /** The node behind an edge; `name:1` means the second output of `name`. */
  node(edge: string): TfNode {
    const name = edge.split(':')[0]!;
    const node = this.#nodes.get(name);
    if (node === undefined) throw unexpected(`it has no node ${name}`);
    return node;
  }

  constant(name: string): TfConstant {
    const constant = this.#constants.get(name);
    if (constant === undefined) throw unexpected(`it has no weights ${name}`);
    return constant;
  }

  /** The constant as a number when `edge` is one. */
  scalar(edge: string): number | undefined {
    if (this.node(edge).op !== 'Const') return undefined;
    const { values } = this.constant(edge);
    return values.length === 1 ? values[0] : undefined;
  }
}

/** Names of a list attribute, for example the operations fused into a convolution. */
export function textList(attribute: TfAttribute | undefined): string[] {
  return (attribute?.list?.s ?? []).map((item) => Buffer.from(item, 'base64').toString());
}

/** Numbers of a list attribute. */
export function numberList(attribute: TfAttribute | undefined): number[] {
  return (attribute?.list?.i ?? []).map(Number);
}

/** The error for a graph that this tool was not written for. */
export function unexpected(what: string): SightlineError {
  return new SightlineError(
    'SL_MODEL_INVALID',
    `Cannot convert the TensorFlow.js graph: ${what}. The tool knows the CenterNet of @vladmandic/human 3.3.6 only.`,
  );
}

function doesNotFit(wanted: number, found: number): SightlineError {
  return unexpected(`its manifest describes ${wanted} bytes of weights, the file holds ${found}`);
}

function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** float16 entries carry no scale and no minimum: they are plain halves. */
function byteLength({ name, shape, dtype, quantization }: WeightEntry): number {
  if (dtype === 'int32' && quantization === undefined) return 4 * elementCount(shape);
  if (dtype === 'float32' && quantization === undefined) return 4 * elementCount(shape);
  if (dtype === 'float32' && quantization?.dtype === 'float16') return 2 * elementCount(shape);
  throw unexpected(`weights ${name} are ${dtype} quantised to ${quantization?.dtype}`);
}

function decodeWeights(entry: WeightEntry, bytes: Uint8Array): Float32Array | Int32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = elementCount(entry.shape);
  if (entry.dtype === 'int32') {
    return Int32Array.from({ length: count }, (_, index) => view.getInt32(4 * index, true));
  }
  const values = new Float32Array(count);
  const isHalf = entry.quantization !== undefined;
  for (let index = 0; index < count; index++) {
    values[index] = isHalf
      ? halfToNumber(view.getUint16(2 * index, true))
      : view.getFloat32(4 * index, true);
  }
  return values;
}

/** An IEEE 754 half: 1 sign, 5 exponent and 10 fraction bits. */
function halfToNumber(bits: number): number {
  const sign = bits >> 15 === 0 ? 1 : -1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
