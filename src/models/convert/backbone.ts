import { emitConvolution } from './convolution.ts';
import type { OnnxBuilder } from './onnx-builder.ts';
import { type TfjsGraph, type TfNode, unexpected } from './tfjs-graph.ts';

/**
 * How the hard swish and hard sigmoid of MobileNetV3 are written:
 * - `hard-sigmoid`: ONNX's own HardSigmoid with an exact 1/6. One node, twice as fast, and what ships.
 * - `literal`: Add, Clip and Mul with the graph's constant, a float16 1/6. Comparable with TensorFlow.js.
 * - `literal-exact`: the same with an exact 1/6. Comparable with `hard-sigmoid`.
 */
export type ActivationForm = 'hard-sigmoid' | 'literal' | 'literal-exact';

/** Writes the nodes a tensor depends on, each once, from channels-last TensorFlow to channels-first ONNX. */
export class BackboneEmitter {
  readonly #graph: TfjsGraph;
  readonly #builder: OnnxBuilder;
  readonly #form: ActivationForm;
  readonly #emitted = new Map<string, string>();

  constructor(graph: TfjsGraph, builder: OnnxBuilder, form: ActivationForm) {
    this.#graph = graph;
    this.#builder = builder;
    this.#form = form;
  }

  /** Emits the named node with all it needs and returns its ONNX name. */
  emit(edge: string): string {
    const known = this.#emitted.get(edge);
    if (known !== undefined) return known;
    const output = this.#emitNode(this.#graph.node(edge));
    this.#emitted.set(edge, output);
    return output;
  }

  #emitNode(node: TfNode): string {
    const builder = this.#builder;
    const name = onnxName(node.name);
    const input = (index: number): string => this.emit(node.inputs[index]!);
    switch (node.op) {
      case 'Placeholder':
        return 'images';
      case 'Identity':
        return input(0);
      case 'Const':
        return this.#emitScalar(node);
      case 'Conv2D':
      case '_FusedConv2D':
      case 'DepthwiseConv2dNative':
      case 'FusedDepthwiseConv2dNative':
        return emitConvolution(this.#graph, builder, node, name, input(0));
      case 'Relu':
      case 'Sigmoid':
        return builder.add(node.op, name, [input(0)]);
      case 'Relu6': {
        const limits = [builder.floats('zero', [], [0]), builder.floats('six', [], [6])];
        return builder.add('Clip', name, [input(0), ...limits]);
      }
      case 'Add':
        return builder.add('Add', name, [input(0), input(1)]);
      case 'Mul':
        return this.#emitMul(node, name);
      case 'Mean':
        this.#expectConstant(node, [1, 2]);
        return builder.add('GlobalAveragePool', name, [input(0)]);
      case 'ConcatV2':
        this.#expectConstant(node, [3]);
        return builder.add('Concat', name, node.inputs.slice(0, -1).map(this.emit, this), {
          axis: 1,
        });
      case 'ResizeBilinear':
        return this.#emitDoubling(node, name);
      default:
        throw unexpected(`node ${node.name} has the operation ${node.op}`);
    }
  }

  #emitScalar(node: TfNode): string {
    const value = this.#graph.scalar(node.name);
    if (value === undefined) throw unexpected(`node ${node.name} is a constant with a shape`);
    const exact = this.#form === 'literal-exact' && isSixth(value);
    return this.#builder.floats(onnxName(node.name), [], [exact ? 1 / 6 : value]);
  }

  #emitMul(node: TfNode, name: string): string {
    if (this.#form === 'hard-sigmoid') {
      const swish = this.#hardSwishInput(node);
      if (swish !== undefined) {
        const x = this.emit(swish);
        return this.#builder.add('Mul', name, [x, this.#hardSigmoid(name, x)]);
      }
      const sigmoid = this.#hardSigmoidInput(node);
      if (sigmoid !== undefined) return this.#hardSigmoid(name, this.emit(sigmoid));
    }
    return this.#builder.add('Mul', name, node.inputs.map(this.emit, this));
  }

  #hardSigmoid(name: string, x: string): string {
    return this.#builder.add('HardSigmoid', `${name}/hard_sigmoid`, [x], {
      alpha: { float: 1 / 6 },
      beta: { float: 0.5 },
    });
  }

  /** x where the node is (x / 6) * relu6(x + 3). */
  #hardSwishInput(node: TfNode): string | undefined {
    const scaled = node.inputs.find((edge) => this.#scaledBySixth(edge) !== undefined);
    const clipped = node.inputs.find((edge) => this.#clippedShift(edge) !== undefined);
    if (scaled === undefined || clipped === undefined) return undefined;
    const x = this.#scaledBySixth(scaled);
    return x === this.#clippedShift(clipped) ? x : undefined;
  }

  /** x where the node is relu6(x + 3) / 6. */
  #hardSigmoidInput(node: TfNode): string | undefined {
    const clipped = this.#scaledBySixth(node.name);
    return clipped === undefined ? undefined : this.#clippedShift(clipped);
  }

  /** y where the edge is y / 6. */
  #scaledBySixth(edge: string): string | undefined {
    return this.#otherThanScalar(edge, 'Mul', isSixth);
  }

  /** x where the edge is relu6(x + 3). */
  #clippedShift(edge: string): string | undefined {
    const node = this.#graph.node(edge);
    if (node.op !== 'Relu6') return undefined;
    return this.#otherThanScalar(node.inputs[0]!, 'Add', (value) => value === 3);
  }

  #otherThanScalar(
    edge: string,
    op: string,
    isWanted: (value: number) => boolean,
  ): string | undefined {
    const node = this.#graph.node(edge);
    if (node.op !== op) return undefined;
    const scalar = node.inputs.find((input) => {
      const value = this.#graph.scalar(input);
      return value !== undefined && isWanted(value);
    });
    return scalar === undefined ? undefined : node.inputs.find((input) => input !== scalar);
  }

  /** The graph names fixed target sizes (32, 64, 128), always twice the input: a scale fits every input size. */
  #emitDoubling(node: TfNode, name: string): string {
    const scales = this.#builder.floats('doubling', [4], [1, 1, 2, 2]);
    return this.#builder.add('Resize', name, [this.emit(node.inputs[0]!), '', scales], {
      mode: 'linear',
      coordinate_transformation_mode: 'asymmetric',
    });
  }

  /** Checks the constant last input (axes), which the ONNX form takes for granted. */
  #expectConstant(node: TfNode, expected: readonly number[]): void {
    const actual = [...this.#graph.constant(node.inputs.at(-1)!).values];
    if (actual.join() !== expected.join()) {
      throw unexpected(`node ${node.name} works on the axes ${actual}`);
    }
  }
}

/** TensorFlow's name without the prefix all nodes share. */
export function onnxName(name: string): string {
  return name.replace(/^tower_0\//, '');
}

/** A sixth as a 16-bit or a 32-bit float. */
function isSixth(value: number): boolean {
  return Math.abs(value - 1 / 6) < 1e-4;
}
