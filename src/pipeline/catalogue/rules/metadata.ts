import type { CheckContext } from '../context.ts';
import { type GraphView, isTrue, numberOf, upstream, type ViewNode } from '../graph-view.ts';
import { INFERENCE, isSet, MUXERS, muxerOf, padIndexes, textOf } from './common.ts';
import { inferNumber } from './infer-view.ts';

/** Elements that rewrite the boxes of a batch. */
const MOVERS = ['nvmultistreamtiler', 'nvvideoconvert', 'nvdewarper'];

/** What reads metadata stands where it is complete and true, and says of it what the muxer was told. */
export function checkMetadata(view: GraphView, context: CheckContext): void {
  for (const node of view.of('sldsmeta')) {
    const muxer = muxerOf(node);
    if (muxer === undefined) {
      const text = `reads the metadata of batches, but nothing that makes them (${MUXERS.join(', ')}) stands before it`;
      context.report('error', view, node, text);
      continue;
    }
    checkUnmoved(view, node, context);
    checkStreams(view, node, muxer, context);
    checkModels(view, node, context);
    checkClock(view, node, muxer, context);
    checkPadding(view, node, muxer, context);
  }
  for (const node of view.of('slmeta')) {
    if (muxerOf(node) === undefined) continue;
    const text = 'reads no metadata of DeepStream: use sldsmeta behind a muxer';
    context.report('error', view, node, text);
  }
  for (const node of view.of('nvmsgconv')) checkConverter(view, node, context);
}

function checkUnmoved(view: GraphView, node: ViewNode, context: CheckContext): void {
  const mover = upstream(node).find(
    (other) => MOVERS.includes(other.factory) && muxerOf(other) !== undefined,
  );
  if (mover === undefined) return;
  const text = `stands behind ${mover.factory} "${mover.id}", which moves boxes: their places in the source would be wrong; put it before`;
  context.report('error', view, node, text);
}

function checkStreams(
  view: GraphView,
  node: ViewNode,
  muxer: ViewNode,
  context: CheckContext,
): void {
  const property = 'streams';
  const value = textOf(node, property);
  if (value === '') return;
  const named = new Map<number, string>();
  for (const part of value.split(';').filter((text) => text !== '')) {
    const match = /^(\d+)=([^/=;]+)\/([^/=;]+)$/.exec(part);
    if (match === null) {
      const text = `"${property}" has ${JSON.stringify(part)}; its parts are pad=stream/sensor, such as "0=dock/dock-1"`;
      context.report('error', view, node, text, { property });
      return;
    }
    named.set(Number(match[1]), decode(match[2]!));
  }
  if (muxer.factory !== 'nvstreammux') return;
  const nameless = padIndexes(muxer).find((index) => !named.has(index));
  if (nameless !== undefined) {
    const text = `"${property}" has no name for pad "sink_${nameless}" of "${muxer.id}": its frames would be nobody's`;
    context.report('error', view, node, text, { property });
  }
  const strange = [...named.values()].find((id) => !view.graph.streams.includes(id));
  if (strange !== undefined) {
    const text = `"${property}" names "${strange}", which is no stream of the graph`;
    context.report('error', view, node, text, { property });
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function checkModels(view: GraphView, node: ViewNode, context: CheckContext): void {
  const property = 'models';
  const parts = textOf(node, property)
    .split(';')
    .filter((text) => text !== '');
  const models = upstream(node).filter(({ factory }) => INFERENCE.includes(factory));
  const ids = models.map((model) => inferNumber(model, 'unique-id', context));
  for (const part of parts) {
    const id = /^(\d+)=[^/=;]+\/[^/=;]+$/.exec(part)?.[1];
    if (id === undefined) {
      const text = `"${property}" has ${JSON.stringify(part)}; its parts are id=name/version, such as "1=yolox/3"`;
      context.report('error', view, node, text, { property });
    } else if (!ids.includes(undefined) && !ids.includes(Number(id))) {
      const text = `"${property}" names component ${id}, but the models before it are ${ids.join(', ')}`;
      context.report('warning', view, node, text, { property });
    }
  }
}

/** The muxer writes either the host's clock or the camera's into a frame; the message must say which. */
function checkClock(view: GraphView, node: ViewNode, muxer: ViewNode, context: CheckContext): void {
  const property = 'capture-clock';
  if (!isSet(node, property)) return;
  const clock = textOf(node, property);
  if (clock !== 'rtcp' && clock !== 'arrival') {
    const text = `"${property}" takes rtcp or arrival, not ${JSON.stringify(clock)}`;
    context.report('error', view, node, text, { property });
    return;
  }
  const host = isTrue(muxer, 'attach-sys-ts');
  if (host === (clock === 'arrival')) return;
  const text = `"${property}" is ${clock}, but "attach-sys-ts" of "${muxer.id}" is ${host}, which gives ${host ? 'arrival' : 'rtcp'}`;
  context.report('error', view, node, text, { property });
}

function checkPadding(
  view: GraphView,
  node: ViewNode,
  muxer: ViewNode,
  context: CheckContext,
): void {
  const [told, does] = [isTrue(node, 'padding'), isTrue(muxer, 'enable-padding')];
  if (told === does) return;
  const text = `"padding" is ${told}, but "enable-padding" of "${muxer.id}" is ${does}: every box would be misplaced`;
  context.report('error', view, node, text, { property: 'padding' });
}

/** Minimal and protobuf payloads read a private structure that only a configuration file makes. */
function checkConverter(view: GraphView, node: ViewNode, context: CheckContext): void {
  if (!isTrue(node, 'msg2p-newapi')) {
    const text =
      '"msg2p-newapi" is false: it converts only event messages that an application adds, and else gives nothing';
    context.report('warning', view, node, text, { property: 'msg2p-newapi' });
    return;
  }
  const payload = numberOf(node, 'payload-type') ?? 0;
  if (payload > 2 || textOf(node, 'config') !== '') return;
  const text = `"config" must be set with payload type ${payload}: the element would read memory that is not there`;
  context.report('error', view, node, text, { property: 'config' });
}
