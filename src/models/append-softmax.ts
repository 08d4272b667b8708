import { readFile, writeFile } from 'node:fs/promises';
import onnxProto, { type onnx as Onnx } from 'onnx-proto';
import { SightlineError } from '../common/errors.ts';

const { onnx } = onnxProto;

/**
 * Writes a copy of a classifier that ends in a softmax over its classes: nvinfer, Triton and slclassify compare an
 * output with the threshold as it is, so it must hold probabilities. The output keeps its name.
 * @param output name of the output, [N, C].
 * @throws SightlineError `SL_MODEL_INVALID` when the file has no such output, or it is a softmax's already.
 */
export async function appendSoftmax(from: string, to: string, output: string): Promise<void> {
  const model = onnx.ModelProto.decode(await readFile(from));
  const graph = model.graph;
  const nodes = graph?.node ?? [];
  const producer = nodes.find((node) => node.output?.includes(output));
  if (graph === undefined || graph === null || producer === undefined) {
    throw new SightlineError('SL_MODEL_INVALID', `${from} has no output "${output}"`);
  }
  if (producer.opType === 'Softmax') {
    throw new SightlineError(
      'SL_MODEL_INVALID',
      `The output "${output}" of ${from} comes from a softmax already: remove \`logits\` from the manifest`,
    );
  }
  const logits = freeName(nodes, `${output}_logits`);
  for (const node of nodes) rename(node, output, logits);
  const axis = onnx.AttributeProto.create({
    name: 'axis',
    type: onnx.AttributeProto.AttributeType.INT,
    // Of [N, C] and [N, C, 1, 1] the same before and since opset 13.
    i: 1,
  });
  nodes.push(
    onnx.NodeProto.create({
      opType: 'Softmax',
      name: freeName(nodes, 'softmax'),
      input: [logits],
      output: [output],
      attribute: [axis],
    }),
  );
  graph.node = nodes;
  await writeFile(to, onnx.ModelProto.encode(model).finish());
}

function rename(node: Onnx.INodeProto, from: string, to: string): void {
  const replaced = (names: string[] | null | undefined) =>
    names?.map((name) => (name === from ? to : name)) ?? [];
  node.input = replaced(node.input);
  node.output = replaced(node.output);
}

function freeName(nodes: readonly Onnx.INodeProto[], wish: string): string {
  const taken = new Set(
    nodes.flatMap(({ name, input, output }) => [name, ...(input ?? []), ...(output ?? [])]),
  );
  let name = wish;
  for (let count = 2; taken.has(name); count += 1) name = `${wish}_${count}`;
  return name;
}
