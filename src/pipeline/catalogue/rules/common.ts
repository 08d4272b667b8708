import type { CatalogueFinding } from '../finding.ts';
import { type GraphView, isTrue, numberOf, upstream, type ViewNode } from '../graph-view.ts';

/** Elements that run a model. */
export const INFERENCE = ['nvinfer', 'nvinferserver'];
/** Elements that make batches: everything behind them carries NvDsBatchMeta. */
export const MUXERS = ['nvstreammux', 'nvmultiurisrcbin'];

const CAMERAS = ['rtspsrc', 'nvmultiurisrcbin', 'v4l2src', 'nvarguscamerasrc', 'nvv4l2camerasrc'];

/** Whether pictures arrive at their own pace, or streams come and go. */
export function isLive(view: GraphView): boolean {
  return [...view.nodes].some(
    (node) =>
      CAMERAS.includes(node.factory) ||
      (node.factory === 'nvurisrcbin' && /^rtsp/.test(textOf(node, 'uri'))) ||
      (node.factory === 'nvstreammux' && isTrue(node, 'live-source')),
  );
}

/**
 * A graph of ours runs unattended for months, so what only matters then is an error; a graph without our outputs (an
 * example, a test) is warned.
 */
export function unattended(view: GraphView): CatalogueFinding['level'] {
  const ours = [...view.nodes].some(({ node }) => node.outputKind !== undefined);
  return ours ? 'error' : 'warning';
}

/** A property that is text; '' where it is not set. */
export function textOf({ node }: ViewNode, name: string): string {
  const value = node.properties[name];
  return typeof value === 'string' ? value : '';
}

export function isSet({ node }: ViewNode, name: string): boolean {
  return Object.hasOwn(node.properties, name);
}

/** The nearest element that batched what reaches this one. */
export function muxerOf(node: ViewNode): ViewNode | undefined {
  return upstream(node).find(({ factory }) => MUXERS.includes(factory));
}

/** Most frames a batch of this muxer holds; undefined where only a file of others knows. */
export function batchOf(muxer: ViewNode): number | undefined {
  const size = numberOf(muxer, muxer.factory === 'nvstreammux' ? 'batch-size' : 'max-batch-size');
  return size === 0 ? undefined : size;
}

/** Numbers of a muxer's linked sink pads; one that is asked for by template has none. */
export function padIndexes(muxer: ViewNode): number[] {
  return muxer.into.flatMap(({ toPad }) => {
    const index = /^sink_(\d+)$/.exec(toPad ?? '')?.[1];
    return index === undefined ? [] : [Number(index)];
  });
}
