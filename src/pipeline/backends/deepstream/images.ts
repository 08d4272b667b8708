import type { GraphNode } from '../../graph.ts';
import { chainLinks, IMAGE_BUFFERS, node, output, queue } from '../nodes.ts';
import type { LoweringContext, Piece } from './context.ts';
import { captureClock } from './mux.ts';
import type { GraphPlan } from './plan.ts';

/** Batches that wait for the encoders. Each keeps a surface of the muxer's pool of four. */
const QUEUE_BATCHES = 1;

/*
 * How a picture and the message of its frame find each other: `sldssample` before the tee decides for each frame of a
 * batch, and writes the decision and the frame's name (number and time of capture) into its NvDsFrameMeta; so there is
 * one decision and one name, whatever a branch does. `sldsmeta` reads them. In the branch, `filter` drops batches in which
 * no frame was chosen; behind the demuxer `name` drops the other frames of those that pass and puts the name where an
 * encoder hands it on. `slimage` refuses a picture that lost it on the way.
 */

/** The element before the tee that chooses frames. */
export function imageMarker(context: LoweringContext, plan: GraphPlan): GraphNode[] {
  const { images } = context.pipeline;
  if (images === undefined) return [];
  const properties = {
    action: 'mark',
    'interval-ms': images.everyMs,
    when: images.when,
    'capture-clock': captureClock(context, plan),
  };
  return [node('sample', 'sldssample', 'sample', properties, { origin: '/images' })];
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
  const filter = node('image-filter', 'sldssample', 'sample', { action: 'filter' }, facts);
  const demux = context.part('demux', 'image-demux', 'demux', {}, facts);
  const join = node('image-join', 'funnel', 'queue', {}, facts);
  const ends = [join, output('images', 2, IMAGE_BUFFERS, facts)];
  const branches = plan.streams.map((stream, index) => {
    const own = { ...facts, stream: stream.id };
    const { caps } = context.options.platform.parts.encodeImage;
    const nodes = [
      node(`image-name-${index}`, 'sldssample', 'sample', { action: 'name' }, own),
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
      node(
        `image-${index}`,
        'slimage',
        'image',
        {
          'stream-id': stream.id,
          'sensor-id': stream.sensorId,
          ...(images.models === undefined ? {} : { models: images.models.join(';') }),
          strict: true,
        },
        own,
      ),
    ];
    const links = chainLinks([...nodes, join]).map((link) =>
      link.to === `image-encode-${index}` && caps !== undefined ? { ...link, caps } : link,
    );
    return { nodes, links: [{ from: `image-demux.src_${index}`, to: nodes[0]!.id }, ...links] };
  });
  return {
    nodes: [waiting, filter, demux, ...branches.flatMap(({ nodes }) => nodes), ...ends],
    links: [
      ...chainLinks([waiting, filter, demux]),
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
