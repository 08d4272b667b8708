import type { GraphChoice, GraphNode } from '../../graph.ts';
import { type NodeFacts, node } from '../nodes.ts';
import type { LoweringContext } from './context.ts';

/** How one codec is taken from RTP packets to what nvv4l2decoder reads. */
interface RtpCodec {
  /** Prefix of the node ids; what `--codec` names. */
  readonly name: string;
  readonly encoding: string;
  readonly depayload: string;
  readonly parse?: string;
}

/**
 * In order of preference. No AV1: its depayloader (rtpav1depay) is in none of NVIDIA's images, nor in the distributions'
 * own GStreamer.
 */
const RTP_CODECS: readonly RtpCodec[] = [
  { name: 'h264', encoding: 'H264', depayload: 'rtph264depay', parse: 'h264parse' },
  { name: 'h265', encoding: 'H265', depayload: 'rtph265depay', parse: 'h265parse' },
  { name: 'jpeg', encoding: 'JPEG', depayload: 'rtpjpegdepay' },
  { name: 'mpeg4', encoding: 'MP4V-ES', depayload: 'rtpmp4vdepay', parse: 'mpeg4videoparse' },
  { name: 'vp8', encoding: 'VP8', depayload: 'rtpvp8depay' },
  { name: 'vp9', encoding: 'VP9', depayload: 'rtpvp9depay' },
];

/**
 * What to do with the streams an rtspsrc offers: packets to decoded pictures in the GPU's memory. `skips`: pictures must
 * be left out undecoded.
 */
export function rtpAlternatives(
  context: LoweringContext,
  index: number,
  facts: NodeFacts,
  skips: boolean,
): GraphChoice['alternatives'] {
  return RTP_CODECS.map((codec) => ({
    caps: `application/x-rtp,media=video,encoding-name=${codec.encoding}`,
    chain: chainOf(context, codec, index, facts, skips),
  }));
}

function chainOf(
  context: LoweringContext,
  { name, depayload, parse }: RtpCodec,
  index: number,
  facts: NodeFacts,
  skips: boolean,
): GraphNode[] {
  const id = (stage: string) => `${name}-${stage}-${index}`;
  const part = name === 'jpeg' ? 'decodeJpeg' : 'decode';
  return [
    node(id('receive'), 'slstamp', 'stamp', { stage: 'receive' }, facts),
    node(id('depay'), depayload, 'depayload', {}, facts),
    ...(parse === undefined ? [] : [node(id('parse'), parse, 'parse', {}, facts)]),
    ...(skips ? [node(id('skip'), 'slskip', 'parse', {}, facts)] : []),
    context.part(part, id('decode'), 'decode', {}, facts),
  ];
}
