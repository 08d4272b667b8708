import type { CapsFlow } from '../caps-flow.ts';
import type { CheckContext } from '../context.ts';
import { type GraphView, numberOf, upstream, type ViewNode } from '../graph-view.ts';
import { MUXERS, unattended } from './common.ts';

/** Elements at the end of a recording. */
const RECORDERS = [
  'splitmuxsink',
  'filesink',
  'multifilesink',
  'hlssink2',
  'nvvideoencfilesinkbin',
  'mp4mux',
  'qtmux',
  'matroskamux',
  'mpegtsmux',
];
/** Elements a muxer should not wait for. */
const SLOW = ['nvinfer', 'nvinferserver', 'nvdspreprocess', 'nvtracker'];

/** Queues: where threads part, and nowhere that loses what must not be lost. */
export function checkQueues(view: GraphView, context: CheckContext, flow: CapsFlow): void {
  const told = new Set<ViewNode>();
  for (const recorder of view.of(...RECORDERS)) checkRecording(view, recorder, told, context);
  for (const queue of view.of('queue')) {
    checkCompressed(view, queue, context, flow);
    checkBounded(view, queue, context);
  }
  for (const muxer of view.of(...MUXERS)) {
    for (const { to } of muxer.out) {
      if (!SLOW.includes(to.factory)) continue;
      const text = `follows "${muxer.id}" without a queue: the muxer waits while it works`;
      context.report('warning', view, to, text);
    }
  }
  for (const tee of view.of('tee')) checkBranches(view, tee, context);
}

function isLeaky(queue: ViewNode): boolean {
  return (numberOf(queue, 'leaky') ?? 0) !== 0;
}

/** A recording has every frame. */
function checkRecording(
  view: GraphView,
  recorder: ViewNode,
  told: Set<ViewNode>,
  context: CheckContext,
): void {
  for (const leaky of upstream(recorder)) {
    if (leaky.factory !== 'queue' || !isLeaky(leaky) || told.has(leaky)) continue;
    told.add(leaky);
    const text = `"leaky" must be "no": what it drops would be missing in the recording of "${recorder.id}"`;
    context.report('error', view, leaky, text, { property: 'leaky' });
  }
}

/** A decoder needs every packet up to the next key frame. */
function checkCompressed(
  view: GraphView,
  queue: ViewNode,
  context: CheckContext,
  flow: CapsFlow,
): void {
  if (!isLeaky(queue)) return;
  const compressed = queue.into.some((edge) => {
    const passing = flow.passing.get(edge);
    const medias = passing?.structures.map(({ media }) => media) ?? [];
    return (
      medias.length > 0 && medias.every((media) => /^video\/(x-h26|mpeg|x-av1|x-vp)/.test(media))
    );
  });
  if (!compressed) return;
  const text = 'drops compressed video: pictures are broken until the next key frame';
  context.report('warning', view, queue, text, { property: 'leaky' });
}

function checkBounded(view: GraphView, queue: ViewNode, context: CheckContext): void {
  const limits = ['max-size-buffers', 'max-size-bytes', 'max-size-time'];
  if (limits.some((name) => numberOf(queue, name) !== 0)) return;
  const text = `has no limit (${limits.join(', ')} are all 0): it grows until memory is used up`;
  context.report(unattended(view), view, queue, text, { property: 'max-size-buffers' });
}

/** Branches of a tee run one after the other unless each has a thread of its own. */
function checkBranches(view: GraphView, tee: ViewNode, context: CheckContext): void {
  if (tee.out.length < 2) return;
  for (const { to } of tee.out) {
    if (/queue/.test(to.factory)) continue;
    const text = `is a branch of "${tee.id}" without a queue: it holds up the others, and they it`;
    context.report(unattended(view), view, to, text);
  }
}
