import type { OnnxBuilder } from './onnx-builder.ts';
import {
  numberList,
  type TfConstant,
  type TfjsGraph,
  type TfNode,
  textList,
  unexpected,
} from './tfjs-graph.ts';

const KNOWN_FUSIONS = ['', 'BiasAdd', 'BiasAdd,Relu'];

/** Writes a TensorFlow convolution (plain or depthwise, with what is fused into it) as ONNX Conv. */
export function emitConvolution(
  graph: TfjsGraph,
  builder: OnnxBuilder,
  node: TfNode,
  name: string,
  input: string,
): string {
  const fused = textList(node.attributes['fused_ops']).join();
  if (!KNOWN_FUSIONS.includes(fused)) {
    throw unexpected(`node ${node.name} fuses ${fused}`);
  }
  const weightsName = node.inputs[1]!;
  const weights = graph.constant(weightsName);
  const isDepthwise = node.op.includes('Depthwise');
  const [height, width, channels] = weights.shape as [number, number, number, number];
  const { shape, values } = isDepthwise ? depthwiseToOnnx(weights) : plainToOnnx(weights);
  const inputs = [input, builder.floats(weightsName, shape, values)];
  if (fused.startsWith('BiasAdd')) {
    const bias = graph.constant(node.inputs[2]!);
    inputs.push(builder.floats(node.inputs[2]!, bias.shape, bias.values));
  }
  const stride = strideOf(node, height * width);
  const output = builder.add('Conv', fused.endsWith('Relu') ? `${name}/conv` : name, inputs, {
    kernel_shape: [height, width],
    strides: [stride, stride],
    pads: samePadding(height, width, stride),
    group: isDepthwise ? channels : 1,
  });
  return fused.endsWith('Relu') ? builder.add('Relu', name, [output]) : output;
}

function strideOf(node: TfNode, kernelArea: number): number {
  const strides = numberList(node.attributes['strides']);
  const dilations = numberList(node.attributes['dilations']);
  const padding = Buffer.from(node.attributes['padding']?.s ?? '', 'base64').toString();
  // A kernel of one pixel has nothing to pad: VALID is the same.
  const isSame = padding === 'SAME' || (padding === 'VALID' && kernelArea === 1);
  if (!isSame || dilations.some((size) => size !== 1) || strides[1] !== strides[2]) {
    throw unexpected(`node ${node.name} pads ${padding}, strides ${strides}, dilates ${dilations}`);
  }
  return strides[1]!;
}

/**
 * TensorFlow's SAME for sizes that the stride divides: what the kernel needs beyond the stride, the odd pixel at the
 * end. Explicit numbers mean the same in every runtime, unlike ONNX's auto_pad.
 */
function samePadding(height: number, width: number, stride: number): number[] {
  const [top, bottom] = halves(Math.max(0, height - stride));
  const [left, right] = halves(Math.max(0, width - stride));
  return [top, left, bottom, right];
}

function halves(total: number): [number, number] {
  const before = Math.floor(total / 2);
  return [before, total - before];
}

/** Height, width, in, out to out, in, height, width. */
function plainToOnnx({ shape, values }: TfConstant): TfConstant {
  const [height, width, inputs, outputs] = shape as [number, number, number, number];
  const area = height * width;
  const moved = new Float32Array(values.length);
  for (let pixel = 0; pixel < area; pixel++) {
    for (let input = 0; input < inputs; input++) {
      for (let output = 0; output < outputs; output++) {
        moved[(output * inputs + input) * area + pixel] =
          values[(pixel * inputs + input) * outputs + output]!;
      }
    }
  }
  return { shape: [outputs, inputs, height, width], values: moved };
}

/** Height, width, channels, multiplier to channels * multiplier, 1, height, width. */
function depthwiseToOnnx({ shape, values }: TfConstant): TfConstant {
  const [height, width, channels, multiplier] = shape as [number, number, number, number];
  const outputs = channels * multiplier;
  const area = height * width;
  const moved = new Float32Array(values.length);
  for (let pixel = 0; pixel < area; pixel++) {
    for (let output = 0; output < outputs; output++) {
      moved[output * area + pixel] = values[pixel * outputs + output]!;
    }
  }
  return { shape: [outputs, 1, height, width], values: moved };
}
