import type { GraphNode } from '../graph.ts';
import type { ResolvedImages, ResolvedStream } from '../resolved.ts';
import { IMAGE_BUFFERS, node, output } from './nodes.ts';

/** Elements that choose frames and make pictures of them. */
export interface ImageNodes {
  /** In the chain of all frames: what chooses. */
  readonly mark: readonly GraphNode[];
  /** Lets only chosen frames pass. */
  readonly filter: GraphNode;
  /** From a chosen frame to the application. */
  readonly encode: readonly GraphNode[];
  /** Filters of links, by the node they lead to. */
  readonly caps: Readonly<Record<string, string>>;
}

/**
 * jpegenc's default, ifast, is the faster one no more: of its sums libjpeg-turbo has a version for AVX2, of those of ifast it has not. Its
 * pictures are nearer to what was decoded, too (0.13 dB at quality 85).
 */
const TRANSFORM = 'islow';

export function imageNodes(stream: ResolvedStream, images: ResolvedImages): ImageNodes {
  const { everyMs, when, motion, quality, maxWidth, models } = images;
  // Where only key frames are decoded, any that comes is one.
  const choice = when === 'key-frames' ? 'always' : when;
  const scaled = maxWidth !== undefined;
  return {
    mark: [
      ...(when === 'motion'
        ? [
            node('motion-convert', 'videoconvert', 'convert', {}),
            node('motion', 'slmotion', 'motion', { ...motion }),
          ]
        : []),
      node('sample', 'slsample', 'sample', {
        action: 'mark',
        'interval-ms': everyMs,
        when: choice,
      }),
    ],
    filter: node('image-filter', 'slsample', 'sample', { action: 'filter' }),
    encode: [
      ...(scaled ? [node('image-scale', 'videoscale', 'convert', { 'add-borders': false })] : []),
      node('image-convert', 'videoconvert', 'convert', {}),
      node('image-encode', 'jpegenc', 'encode-image', { quality, 'idct-method': TRANSFORM }),
      node('image', 'slimage', 'image', {
        'stream-id': stream.id,
        'sensor-id': stream.sensorId,
        ...(models === undefined ? {} : { models: models.join(';') }),
      }),
      output('images', 2, IMAGE_BUFFERS),
    ],
    caps: scaled
      ? { 'image-convert': `video/x-raw,width=[1,${maxWidth}],pixel-aspect-ratio=1/1` }
      : {},
  };
}
