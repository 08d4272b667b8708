import type { CapsFlow } from '../caps-flow.ts';
import { intersectCaps, isEmptyCaps, keepFields } from '../caps-intersect.ts';
import { describeCaps } from '../caps-text.ts';
import type { CheckContext } from '../context.ts';
import { type GraphView, isTrue, numberOf, type ViewNode } from '../graph-view.ts';
import { batchOf, isLive, muxerOf, padIndexes, unattended } from './common.ts';

const NEW_MUXER = 'USE_NEW_NVSTREAMMUX';

/** Batches: large enough, complete in time, and not ended by the last stream that leaves. */
export function checkMuxers(view: GraphView, context: CheckContext, flow: CapsFlow): void {
  for (const muxer of view.of('nvstreammux')) {
    const isNew = muxer.element?.key === 'nvstreammux-new';
    checkSize(view, muxer, context);
    if (isNew) {
      checkNew(view, muxer, context, flow);
    } else if (isLive(view)) {
      checkLiveOld(view, muxer, context);
    }
    if (isLive(view) && !endsWithItsStream(view, muxer)) checkLastStream(view, muxer, context);
  }
  for (const muxer of view.of('nvmultiurisrcbin')) {
    checkSelfMuxing(view, muxer, context);
    checkLastStream(view, muxer, context);
  }
  for (const demux of view.of('nvstreamdemux')) checkDemuxer(view, demux, context);
}

/** The plugin compares the variable with this one text when it is loaded. */
export function checkEnvironment(view: GraphView, context: CheckContext): void {
  const value = context.lowered.environment[NEW_MUXER];
  if (value === undefined || value === 'yes' || value === 'no' || value === '') return;
  const text = `${NEW_MUXER} is ${JSON.stringify(value)}: only the text "yes" chooses the new nvstreammux`;
  context.reportGraph('error', view, text);
}

function checkSize(view: GraphView, muxer: ViewNode, context: CheckContext): void {
  const batch = batchOf(muxer);
  const pads = muxer.into.length;
  if (batch === undefined || batch >= pads) return;
  const text = `"batch-size" is ${batch}, but ${pads} streams are linked: it must be at least ${pads}`;
  context.report('error', view, muxer, text, { property: 'batch-size' });
}

/** The new muxer neither scales nor converts: what enters must be alike already. */
function checkNew(view: GraphView, muxer: ViewNode, context: CheckContext, flow: CapsFlow): void {
  if (batchOf(muxer) === undefined && muxer.node.properties['config-file-path'] === undefined) {
    const text =
      'neither "batch-size" nor "config-file-path" is set: one of them must say how many streams a batch holds';
    context.report('error', view, muxer, text, { property: 'batch-size' });
  }
  const [first, ...others] = muxer.into;
  const formats = (edge: typeof first) => keepFields(flow.passing.get(edge!)!, ['format']);
  for (const edge of others) {
    const [one, other] = [formats(first), formats(edge)];
    if (!isEmptyCaps(intersectCaps(one, other))) continue;
    const text = `its streams have different formats (${describeCaps(one)}; ${describeCaps(other)}), and the new muxer does not convert: put nvvideoconvert before it`;
    context.report('error', view, muxer, text);
    return;
  }
}

function checkLiveOld(view: GraphView, muxer: ViewNode, context: CheckContext): void {
  if (!isTrue(muxer, 'live-source')) {
    const text = '"live-source" must be true for cameras: without it late frames hold up the batch';
    context.report(unattended(view), view, muxer, text, { property: 'live-source' });
  }
  checkTimeout(view, muxer, context);
}

function checkTimeout(view: GraphView, muxer: ViewNode, context: CheckContext): void {
  const timeout = numberOf(muxer, 'batched-push-timeout');
  if (timeout === undefined || timeout > 0) return;
  const text = `"batched-push-timeout" is ${timeout}, which waits for a full batch: one camera that is away would stop all others; 33000 to 40000 microseconds suit cameras`;
  context.report(unattended(view), view, muxer, text, { property: 'batched-push-timeout' });
}

/** rtspsrc does not reconnect: whoever runs the graph of one such camera must see its end to start it again. */
function endsWithItsStream(view: GraphView, muxer: ViewNode): boolean {
  return muxer.into.length === 1 && view.of('rtspsrc').length === 1;
}

function checkLastStream(view: GraphView, muxer: ViewNode, context: CheckContext): void {
  if (isTrue(muxer, 'drop-pipeline-eos')) return;
  const text =
    '"drop-pipeline-eos" must be true for cameras: without it the pipeline ends with its last stream';
  context.report(unattended(view), view, muxer, text, { property: 'drop-pipeline-eos' });
}

/** nvmultiurisrcbin has the muxer inside, with the same needs. */
function checkSelfMuxing(view: GraphView, source: ViewNode, context: CheckContext): void {
  if (context.lowered.environment[NEW_MUXER] !== 'yes') {
    for (const name of ['width', 'height']) {
      if ((numberOf(source, name) ?? 0) > 0) continue;
      const text = `property "${name}" must be set: the muxer inside scales every stream to one size`;
      context.report('error', view, source, text, { property: name });
    }
    if (!isTrue(source, 'live-source')) {
      const text = '"live-source" must be true where streams come and go';
      context.report(unattended(view), view, source, text, { property: 'live-source' });
    }
  }
  checkTimeout(view, source, context);
}

/** A pad of the demultiplexer is the stream of that muxer pad. */
function checkDemuxer(view: GraphView, demux: ViewNode, context: CheckContext): void {
  const muxer = muxerOf(demux);
  const known = muxer?.factory === 'nvstreammux' ? padIndexes(muxer) : undefined;
  for (const { fromPad } of demux.out) {
    if (fromPad === undefined || /%/.test(fromPad)) {
      const text =
        'its pads must be asked for by number ("src_0"): the number says which stream comes out';
      context.report('error', view, demux, text);
      continue;
    }
    const index = Number(/^src_(\d+)$/.exec(fromPad)?.[1] ?? Number.NaN);
    if (muxer === undefined || Number.isNaN(index)) continue;
    const batch = batchOf(muxer);
    const reached =
      known === undefined ? batch === undefined || index < batch : known.includes(index);
    if (reached || (known !== undefined && known.length < muxer.into.length)) continue;
    const text = `no stream comes out of pad "${fromPad}": "${muxer.id}" has no pad "sink_${index}"`;
    context.report('error', view, demux, text);
  }
}
