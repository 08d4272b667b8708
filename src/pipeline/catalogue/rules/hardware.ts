import type { CapsFlow } from '../caps-flow.ts';
import type { CheckContext } from '../context.ts';
import { downstream, type GraphView, isTrue, numberOf, type ViewNode } from '../graph-view.ts';
import { isSet, textOf } from './common.ts';

/** Settings that only one kind of hardware has, and those all elements must share. */
export function checkHardware(view: GraphView, context: CheckContext, flow: CapsFlow): void {
  const jetson = context.elements.family === 'jetson';
  for (const node of view.nodes) {
    if (isSet(node, 'nvbuf-memory-type')) checkMemory(view, node, jetson, context);
    for (const property of ['compute-hw', 'copy-hw']) {
      if (jetson || !isSet(node, property) || numberOf(node, property) !== 2) continue;
      const text = `"${property}" 2 (VIC) is a unit of Jetson: use 0 or 1 (GPU) here`;
      context.report('error', view, node, text, { property });
    }
  }
  checkGpu(view, jetson, context);
  for (const node of view.of('nvv4l2decoder')) checkMotionJpeg(view, node, jetson, context, flow);
  for (const node of view.of('nvdsosd')) checkDrawing(view, node, context, flow);
  for (const node of view.of('nvv4l2h264enc', 'nvv4l2h265enc')) {
    checkEncoder(view, node, jetson, context);
  }
  for (const node of view.of('nveglglessink')) {
    if (!jetson) continue;
    context.report('warning', view, node, 'is for cards: use nv3dsink on Jetson');
  }
  for (const node of view.of('nvjpegenc')) {
    if (isSet(node, 'quality')) continue;
    const text = '"quality" is not set, and its default is not documented';
    context.report('warning', view, node, text, { property: 'quality' });
  }
}

function checkMemory(
  view: GraphView,
  node: ViewNode,
  jetson: boolean,
  context: CheckContext,
): void {
  const property = 'nvbuf-memory-type';
  const type = numberOf(node, property) ?? 0;
  if (jetson ? type === 0 || type === 4 : type < 4) return;
  const text = jetson
    ? `"${property}" ${type} is memory of cards: Jetson has 0 (default) and 4 (surface array)`
    : `"${property}" ${type} is memory of Jetson: cards have 0 (default) to 3 (unified)`;
  context.report('error', view, node, text, { property });
}

/** Surfaces stay on the card they were made on. */
function checkGpu(view: GraphView, jetson: boolean, context: CheckContext): void {
  const property = 'gpu-id';
  let first: { node: ViewNode; gpu: number } | undefined;
  for (const node of view.nodes) {
    // A model's file may choose the card too.
    const said = isSet(node, property) || !/^nvinfer/.test(node.factory);
    if (node.element?.property(property) === undefined || !said) continue;
    const gpu = numberOf(node, property) ?? 0;
    if (jetson && gpu !== 0) {
      context.report('error', view, node, `"${property}" is ${gpu}: a Jetson has one GPU, 0`, {
        property,
      });
      continue;
    }
    first ??= { node, gpu };
    if (gpu === first.gpu) continue;
    const text = `"${property}" is ${gpu}, but that of "${first.node.id}" is ${first.gpu}: elements of one pipeline share one card`;
    context.report('error', view, node, text, { property });
  }
}

function checkMotionJpeg(
  view: GraphView,
  node: ViewNode,
  jetson: boolean,
  context: CheckContext,
  flow: CapsFlow,
): void {
  if (!jetson || isTrue(node, 'mjpeg')) return;
  const jpeg = node.into.some((edge) => {
    const medias = flow.passing.get(edge)?.structures.map(({ media }) => media) ?? [];
    return medias.length > 0 && medias.every((media) => media === 'image/jpeg');
  });
  if (!jpeg) return;
  const text = '"mjpeg" must be true to decode JPEG on Jetson';
  context.report('error', view, node, text, { property: 'mjpeg' });
}

/** On the CPU, boxes are drawn on RGBA only. */
function checkDrawing(
  view: GraphView,
  node: ViewNode,
  context: CheckContext,
  flow: CapsFlow,
): void {
  if (numberOf(node, 'process-mode') !== 0) return;
  const rgba = node.into.every((edge) =>
    flow.passing.get(edge)?.structures.some(({ fields }) => {
      const format = fields.get('format');
      return format === undefined || format.items.has('s:RGBA');
    }),
  );
  if (rgba) return;
  const text = '"process-mode" 0 (CPU) draws on RGBA only: put nvvideoconvert with RGBA before it';
  context.report('error', view, node, text, { property: 'process-mode' });
}

/** Below this many bit/s a rate was probably meant in kbit/s, as x264enc takes it. */
const LEAST_BITRATE = 20_000;

function checkEncoder(
  view: GraphView,
  node: ViewNode,
  jetson: boolean,
  context: CheckContext,
): void {
  if (jetson && numberOf(node, 'control-rate') === 2) {
    const text = '"control-rate" 2 (constantQP) is for cards only';
    context.report('error', view, node, text, { property: 'control-rate' });
  }
  const rate = numberOf(node, 'bitrate');
  if (rate !== undefined && isSet(node, 'bitrate') && rate < LEAST_BITRATE) {
    const text = `"bitrate" is ${rate} bit/s: it is not given in kbit/s here`;
    context.report('warning', view, node, text, { property: 'bitrate' });
  }
  const behind = downstream(node);
  const sent = behind.find(({ factory }) => /^rtph26[45]pay$/.test(factory));
  const repeated = behind.some(
    (other) => /^(h26[45]parse|rtph26[45]pay)$/.test(other.factory) && intervalOf(other) !== 0,
  );
  if (sent === undefined || repeated || isTrue(node, 'insert-sps-pps')) return;
  const text = `"insert-sps-pps" is false: who connects later to "${sent.id}" sees nothing`;
  context.report('warning', view, node, text, { property: 'insert-sps-pps' });
}

function intervalOf(node: ViewNode): number {
  return textOf(node, 'config-interval') === '' ? (numberOf(node, 'config-interval') ?? 0) : 0;
}
