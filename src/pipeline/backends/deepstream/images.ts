import type { GraphNode } from '../../graph.ts';
import { chainLinks, IMAGE_BUFFERS, node, output, queue } from '../nodes.ts';
import type { LoweringContext, Piece } from './context.ts';
import type { GraphPlan } from './plan.ts';

/** Batches that wait for the encoders. Each keeps a surface of the muxer's pool of four. */
const QUEUE_BATCHES = 1;

/*
 * How a picture and the message of its frame find each other: `slsample` before the tee decides for each frame of a
 * batch and marks it in its NvDsFrameMeta, so that both branches see one decision. A frame is named by its stream (the
 * muxer's pad), the session and `frame_num`, which `sldsmeta` and the image branch read alike; so they write the same
 * `ref`. `slsample` in the branch drops frames without the mark and puts that name on the buffer. Its meta may get lost
 * in an encoder, the time stamp does not: `slimage` asks for the name by it.
 */

/** The element before the tee that chooses frames. */
export function imageMarker({ pipeline }: LoweringContext): GraphNode[] {
  const { images } = pipeline;
  if (images === undefined) return [];
  const properties = { action: 'mark', 'interval-ms': images.everyMs, when: images.when };
  return [node('sample', 'slsample', 'sample', properties, { origin: '/images' })];
}

/**
 * The branch behind the tee, or undefined where no pictures are asked for. It never leaks: chosen frames are few, and
 * each was announced. Every pad of the demuxer has its branch.
 */
export function lowerImages(context: LoweringContext, plan: GraphPlan): Piece | undefined {
  const { images } = context.pipeline;
  if (images === undefined) return undefined;
  const facts = { origin: '/images' };
  noteSize(context);
  const waiting = queue('image-queue', QUEUE_BATCHES, false, facts);
  const demux = context.part('demux', 'image-demux', 'demux', {}, facts);
  const join = node('image-join', 'funnel', 'queue', {}, facts);
  const ends = [join, output('images', 2, IMAGE_BUFFERS, facts)];
  const branches = plan.streams.map((stream, index) => {
    const own = { ...facts, stream: stream.id };
    const { caps } = context.options.platform.parts.encodeImage;
    const nodes = [
      node(`image-filter-${index}`, 'slsample', 'sample', { action: 'filter' }, own),
      context.part('convert', `image-convert-${index}`, 'convert', {}, own),
      context.part(
        'encodeImage',
        `image-encode-${index}`,
        'encode-image',
        {},
        {
          ...own,
          settings: { quality: images.quality },
        },
      ),
      // Not every one of NVIDIA's encoders says how large its pictures are.
      node(`image-parse-${index}`, 'jpegparse', 'parse', {}, own),
      node(`image-${index}`, 'slimage', 'image', { 'stream-id': stream.id }, own),
    ];
    const links = chainLinks([...nodes, join]).map((link) =>
      link.to === `image-encode-${index}` && caps !== undefined ? { ...link, caps } : link,
    );
    return { nodes, links: [{ from: `image-demux.src_${index}`, to: nodes[0]!.id }, ...links] };
  });
  return {
    nodes: [waiting, demux, ...branches.flatMap(({ nodes }) => nodes), ...ends],
    links: [
      ...chainLinks([waiting, demux]),
      ...branches.flatMap(({ links }) => links),
      ...chainLinks(ends),
    ],
  };
}

function noteSize(context: LoweringContext): void {
  const { kind, width, height } = { ...context.muxSize, kind: context.spec.muxer.kind };
  if (kind === 'new') return;
  const message = `pictures have the size of the batch, ${width} x ${height}; boxes stay in the source's pixels`;
  context.note('/images', message);
}
