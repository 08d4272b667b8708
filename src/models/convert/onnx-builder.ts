import onnxProto, { type onnx as Onnx } from 'onnx-proto';

const { onnx } = onnxProto;
const { DataType } = onnx.TensorProto;
const { AttributeType } = onnx.AttributeProto;

/** Opset 13 is the newest that both ONNX Runtime and TensorRT 8.4 read in full; its files are of IR version 7. */
const OPSET = 13;
const IR_VERSION = 7;

/** A number is an integer attribute unless wrapped: ONNX tells 1 from 1.0. */
export type AttributeValue = number | readonly number[] | string | { readonly float: number };

/** A dimension: a size, or the name of one that is free. */
export type Dimension = number | string;

/**
 * Collects the nodes and constants of an ONNX graph. The order of the calls alone decides the bytes, so the same calls
 * give the same file.
 */
export class OnnxBuilder {
  readonly #nodes: Onnx.INodeProto[] = [];
  readonly #constants = new Map<string, Onnx.ITensorProto>();

  /** Adds an operation and returns its first output; further outputs are named `<name>:1`, and so on. */
  add(
    opType: string,
    name: string,
    input: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
    outputCount = 1,
  ): string {
    const further = Array.from({ length: outputCount - 1 }, (_, index) => `${name}:${index + 1}`);
    this.#nodes.push({
      opType,
      name,
      input: [...input],
      output: [name, ...further],
      attribute: Object.entries(attributes).map(([key, value]) => encodeAttribute(key, value)),
    });
    return name;
  }

  floats(name: string, shape: readonly number[], values: ArrayLike<number>): string {
    const bytes = Buffer.allocUnsafe(4 * values.length);
    for (let index = 0; index < values.length; index++) {
      bytes.writeFloatLE(values[index]!, 4 * index);
    }
    return this.#constant(name, shape, DataType.FLOAT, bytes);
  }

  integers(name: string, shape: readonly number[], values: readonly number[]): string {
    const bytes = Buffer.allocUnsafe(8 * values.length);
    values.forEach((value, index) => {
      bytes.writeBigInt64LE(BigInt(value), 8 * index);
    });
    return this.#constant(name, shape, DataType.INT64, bytes);
  }

  /** The bytes of the model with one float input and one float output. */
  build(options: {
    readonly graphName: string;
    readonly input: readonly [string, readonly Dimension[]];
    readonly output: readonly [string, readonly Dimension[]];
  }): Uint8Array {
    return onnx.ModelProto.encode({
      irVersion: IR_VERSION,
      producerName: 'sightline',
      opsetImport: [{ domain: '', version: OPSET }],
      graph: {
        name: options.graphName,
        node: this.#nodes,
        initializer: [...this.#constants.values()],
        input: [describeTensor(...options.input)],
        output: [describeTensor(...options.output)],
      },
    }).finish();
  }

  #constant(name: string, shape: readonly number[], dataType: number, rawData: Buffer): string {
    if (!this.#constants.has(name)) {
      this.#constants.set(name, { name, dims: [...shape], dataType, rawData });
    }
    return name;
  }
}

function encodeAttribute(name: string, value: AttributeValue): Onnx.IAttributeProto {
  if (typeof value === 'number') return { name, type: AttributeType.INT, i: value };
  if (typeof value === 'string') {
    return { name, type: AttributeType.STRING, s: Buffer.from(value) };
  }
  if ('float' in value) return { name, type: AttributeType.FLOAT, f: value.float };
  return { name, type: AttributeType.INTS, ints: [...value] };
}

function describeTensor(name: string, shape: readonly Dimension[]): Onnx.IValueInfoProto {
  const dim = shape.map((size) =>
    typeof size === 'string' ? { dimParam: size } : { dimValue: size },
  );
  return { name, type: { tensorType: { elemType: DataType.FLOAT, shape: { dim } } } };
}
