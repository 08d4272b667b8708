import { type Element, elementsOf, HEAD_BYTES, innerElements, sizeAt, unsignedIn } from './ebml.ts';
import type { ByteSource } from './mp4/boxes.ts';
import type { Fragment, Movie, Sample } from './mp4/fragments.ts';

// RFC 9559 (Matroska).

const ID = {
  ebml: 0x1a45dfa3,
  segment: 0x18538067,
  tracks: 0x1654ae6b,
  trackEntry: 0xae,
  codecId: 0x86,
  codecPrivate: 0x63a2,
  video: 0xe0,
  pixelWidth: 0xb0,
  pixelHeight: 0xba,
  info: 0x1549a966,
  timestampScale: 0x2ad7b1,
  cluster: 0x1f43b675,
  timestamp: 0xe7,
  simpleBlock: 0xa3,
  blockGroup: 0xa0,
  block: 0xa1,
  referenceBlock: 0xfb,
} as const;
const OPENED: ReadonlySet<number> = new Set([ID.segment, ID.cluster]);
const CODECS: Readonly<Record<string, string>> = {
  'V_MPEG4/ISO/AVC': 'h264',
  'V_MPEGH/ISO/HEVC': 'h265',
};
const MAX_HEADER_BYTES = 1024 * 1024;
const USUAL_SCALE_NS = 1_000_000;
const KEY_FRAME = 0x80;

/** What stands before the first cluster. */
export interface MatroskaHeader {
  readonly initBytes: number;
  /** `h264`, `h265`, or Matroska's own name. */
  readonly codec: string;
  /** Decoder configuration, ISO/IEC 14496-15: what is in `avcC` or `hvcC` of an MP4. */
  readonly configuration: Buffer;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** Units a second of the times of blocks. */
  readonly timescale: number;
}

/** A frame as it lies in the file. */
export interface Block extends Omit<Sample, 'duration'> {
  /** When it is shown, in units of the file. */
  readonly at: number;
}

/** Frames that are written in one piece. */
export interface Cluster {
  readonly start: number;
  /** After its last block. */
  readonly end: number;
  readonly blocks: readonly Block[];
}

/**
 * A Matroska file with one video track, as the worker writes it: each cluster is a fragment. Only heads are read. Ends quietly
 * before the first block that is not there as a whole; those before it make the last fragment.
 * @returns undefined for a file without a complete header, or without video
 */
export async function openMatroska(
  source: ByteSource,
): Promise<(Movie & { fragments(): AsyncGenerator<Fragment, void, undefined> }) | undefined> {
  const header = await readHeader(source);
  if (header === undefined) return undefined;
  const { initBytes, timescale, codec, configuration: description } = header;
  const defaults = { duration: 0, size: 0, flags: 0 };
  const track = { id: 1, timescale, codec, description, defaults };
  return {
    ...{ initBytes, track },
    async *fragments() {
      for await (const cluster of clustersOf(source, initBytes)) yield fragmentOf(cluster);
    },
  };
}

/** @param source a file, or all of it that stands before its first cluster */
export async function readHeader(source: ByteSource): Promise<MatroskaHeader | undefined> {
  let track: Omit<MatroskaHeader, 'initBytes' | 'timescale'> | undefined;
  let scaleNs = USUAL_SCALE_NS;
  let initBytes = source.size;
  for await (const element of elementsOf(source, OPENED)) {
    if (element.start === 0 && element.id !== ID.ebml) return undefined;
    if (element.id === ID.cluster) {
      initBytes = element.start;
      break;
    }
    if (element.id !== ID.tracks && element.id !== ID.info) continue;
    if (element.end - element.start > MAX_HEADER_BYTES) return undefined;
    const bytes = await source.read(element.contentStart, element.end - element.contentStart);
    if (element.id === ID.tracks) track = trackIn(bytes);
    else scaleNs = scaleIn(bytes);
  }
  return track && { ...track, initBytes, timescale: 1e9 / scaleNs };
}

/** @param from where a cluster begins */
export async function* clustersOf(
  source: ByteSource,
  from: number,
): AsyncGenerator<Cluster, void, undefined> {
  let start = from;
  let end = from;
  let clusterAt = 0;
  let blocks: Block[] = [];
  for await (const element of elementsOf(source, OPENED, from)) {
    const { id, contentStart } = element;
    if (id === ID.cluster) {
      if (blocks.length > 0) yield { start, end, blocks };
      [start, blocks] = [element.start, []];
    } else if (id === ID.timestamp) {
      clusterAt = unsignedIn(await source.read(contentStart, element.end - contentStart));
    } else if (id === ID.simpleBlock || id === ID.blockGroup) {
      const block = await readBlock(source, element, clusterAt);
      if (block !== undefined) blocks.push(block);
      end = element.end;
    }
  }
  if (blocks.length > 0) yield { start, end, blocks };
}

/** A frame lasts until the next one, in the order of the file; the last one as long as the one before it. */
function fragmentOf({ start, end, blocks }: Cluster): Fragment {
  const samples: Sample[] = [];
  for (const [index, { at, ...sample }] of blocks.entries()) {
    const next = blocks[index + 1];
    const duration = next === undefined ? (samples.at(-1)?.duration ?? 0) : next.at - at;
    samples.push({ ...sample, duration: Math.max(0, duration) });
  }
  return { start, end, decodeTime: blocks[0]!.at, samples };
}

async function readBlock(
  source: ByteSource,
  element: Element,
  clusterAt: number,
): Promise<Block | undefined> {
  if (element.id === ID.simpleBlock) {
    const { flags, ...block } = await readHead(source, element, clusterAt);
    return { ...block, sync: (flags & KEY_FRAME) !== 0 };
  }
  let block: Omit<Block, 'sync'> | undefined;
  let refers = false;
  for await (const inner of elementsOf(source, OPENED, element.contentStart, element.end)) {
    if (inner.id === ID.block) block = await readHead(source, inner, clusterAt);
    if (inner.id === ID.referenceBlock) refers = true;
  }
  return block && { at: block.at, offset: block.offset, size: block.size, sync: !refers };
}

/** RFC 9559, 10.1: number of the track, i16 timestamp within the cluster, flags, then the frame. */
async function readHead(source: ByteSource, { contentStart, end }: Element, clusterAt: number) {
  const bytes = await source.read(contentStart, HEAD_BYTES);
  const { length } = sizeAt(bytes, 0) ?? { length: 1 };
  const offset = contentStart + length + 3;
  return {
    ...{ at: clusterAt + bytes.readInt16BE(length), flags: bytes[length + 2]! },
    ...{ offset, size: end - offset },
  };
}

/** Of the first track with a codec. */
function trackIn(tracks: Buffer): Omit<MatroskaHeader, 'initBytes' | 'timescale'> | undefined {
  for (const { id, content } of innerElements(tracks)) {
    if (id !== ID.trackEntry) continue;
    const entry = new Map([...innerElements(content)].map((inner) => [inner.id, inner.content]));
    const codec = entry.get(ID.codecId)?.toString('latin1').replace(/\0+$/, '');
    if (codec === undefined || codec === '') continue;
    const video = [...innerElements(entry.get(ID.video) ?? Buffer.alloc(0))];
    const sizeOf = (wanted: number): number =>
      unsignedIn(video.find((inner) => inner.id === wanted)?.content ?? Buffer.alloc(0));
    return {
      codec: CODECS[codec] ?? codec,
      configuration: entry.get(ID.codecPrivate) ?? Buffer.alloc(0),
      ...{ width: sizeOf(ID.pixelWidth), height: sizeOf(ID.pixelHeight) },
    };
  }
  return undefined;
}

function scaleIn(info: Buffer): number {
  for (const { id, content } of innerElements(info)) {
    if (id === ID.timestampScale) return unsignedIn(content) || USUAL_SCALE_NS;
  }
  return USUAL_SCALE_NS;
}
