import type { ByteSource } from './mp4/boxes.ts';
import type { Fragment, Movie, Sample } from './mp4/fragments.ts';

// RFC 8794 (EBML), RFC 9559 (Matroska).

const ID = {
  ebml: 0x1a45dfa3,
  segment: 0x18538067,
  tracks: 0x1654ae6b,
  trackEntry: 0xae,
  codecId: 0x86,
  info: 0x1549a966,
  timestampScale: 0x2ad7b1,
  cluster: 0x1f43b675,
  timestamp: 0xe7,
  simpleBlock: 0xa3,
  blockGroup: 0xa0,
  block: 0xa1,
  referenceBlock: 0xfb,
} as const;
/** What is in them is walked through, so that their own size, unknown while they are written, does not matter. */
const OPENED: ReadonlySet<number> = new Set([ID.segment, ID.cluster]);
const CODECS: Readonly<Record<string, string>> = {
  'V_MPEG4/ISO/AVC': 'h264',
  'V_MPEGH/ISO/HEVC': 'h265',
};
/** Id and size, both as long as they may be, and the head of a block. */
const HEAD_BYTES = 24;
const MAX_HEADER_BYTES = 1024 * 1024;
const USUAL_SCALE_NS = 1_000_000;
const KEY_FRAME = 0x80;

interface Element {
  readonly id: number;
  readonly start: number;
  readonly contentStart: number;
  /** Infinite where it is not known. */
  readonly end: number;
}

/** A block as it is found; its place in the fragment gives it a duration. */
interface Block extends Omit<Sample, 'duration'> {
  /** In units of the file. */
  readonly at: number;
}

/**
 * A Matroska file with one video track, as the worker writes it: each cluster is a fragment. Only heads are read. Ends quietly
 * before the first block that is not there as a whole; those before it make the last fragment.
 * @returns undefined for a file without a complete header, or without video
 */
export async function openMatroska(
  source: ByteSource,
): Promise<(Movie & { fragments(): AsyncGenerator<Fragment, void, undefined> }) | undefined> {
  let codec: string | undefined;
  let scaleNs = USUAL_SCALE_NS;
  for await (const element of elementsOf(source)) {
    if (element.start === 0 && element.id !== ID.ebml) return undefined;
    if (element.id === ID.tracks || element.id === ID.info) {
      if (element.end - element.start > MAX_HEADER_BYTES) return undefined;
      const bytes = await source.read(element.contentStart, element.end - element.contentStart);
      if (element.id === ID.tracks) codec = codecIn(bytes);
      else scaleNs = scaleIn(bytes);
    }
    if (element.id !== ID.cluster) continue;
    if (codec === undefined) return undefined;
    const defaults = { duration: 0, size: 0, flags: 0 };
    const timescale = 1e9 / scaleNs;
    const track = { id: 1, timescale, codec, description: Buffer.alloc(0), defaults };
    const fragments = () => fragmentsOf(source, element.start);
    return { initBytes: element.start, track, fragments };
  }
  return undefined;
}

async function* fragmentsOf(
  source: ByteSource,
  from: number,
): AsyncGenerator<Fragment, void, undefined> {
  let start = from;
  let end = from;
  let clusterAt = 0;
  let blocks: Block[] = [];
  for await (const element of elementsOf(source, from)) {
    const { id, contentStart } = element;
    if (id === ID.cluster) {
      if (blocks.length > 0) yield fragmentOf(start, end, blocks);
      [start, blocks] = [element.start, []];
    } else if (id === ID.timestamp) {
      clusterAt = unsignedIn(await source.read(contentStart, element.end - contentStart));
    } else if (id === ID.simpleBlock || id === ID.blockGroup) {
      const block = await readBlock(source, element, clusterAt);
      if (block !== undefined) blocks.push(block);
      end = element.end;
    }
  }
  if (blocks.length > 0) yield fragmentOf(start, end, blocks);
}

/** A frame lasts until the next one, in the order of the file; the last one as long as the one before it. */
function fragmentOf(start: number, end: number, blocks: readonly Block[]): Fragment {
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
  for await (const inner of elementsOf(source, element.contentStart, element.end)) {
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

/** Elements that are there as a whole, one after the other; of opened ones the head is enough. */
async function* elementsOf(
  source: ByteSource,
  from = 0,
  to = source.size,
): AsyncGenerator<Element, void, undefined> {
  let start = from;
  while (start < to) {
    const element = elementAt(await source.read(start, HEAD_BYTES), start);
    if (element === undefined) return;
    const isOpened = OPENED.has(element.id);
    if (!isOpened && element.end > to) return;
    yield element;
    start = isOpened ? element.contentStart : element.end;
  }
}

/** RFC 8794, 4 to 6: the leading zeros of the first byte tell how long an id or a size is. */
function elementAt(head: Buffer, start: number): Element | undefined {
  const idBytes = Math.clz32(head[0] ?? 0) - 23;
  if (idBytes > 4 || head.length < idBytes) return undefined;
  const size = sizeAt(head, idBytes);
  if (size === undefined) return undefined;
  const contentStart = start + idBytes + size.length;
  return { id: head.readUIntBE(0, idBytes), start, contentStart, end: contentStart + size.value };
}

/** Infinite where all bits are set: unknown. Undefined for what is cut off or no size. */
function sizeAt(bytes: Buffer, at: number): { value: number; length: number } | undefined {
  const length = Math.clz32(bytes[at] ?? 0) - 23;
  if (length > 8 || bytes.length < at + length) return undefined;
  let value = bytes[at]! & (0xff >> length);
  let isUnknown = value === 0xff >> length;
  for (const byte of bytes.subarray(at + 1, at + length)) {
    value = value * 256 + byte;
    isUnknown &&= byte === 0xff;
  }
  return { value: isUnknown ? Number.POSITIVE_INFINITY : value, length };
}

/** Elements within bytes that are in memory, as their contents. */
function* innerElements(bytes: Buffer): Generator<{ id: number; content: Buffer }> {
  for (let start = 0; start < bytes.length; ) {
    const element = elementAt(bytes.subarray(start, start + HEAD_BYTES), start);
    if (element === undefined || element.end > bytes.length) return;
    yield { id: element.id, content: bytes.subarray(element.contentStart, element.end) };
    start = element.end;
  }
}

function codecIn(tracks: Buffer): string | undefined {
  for (const { id, content } of innerElements(tracks)) {
    if (id !== ID.trackEntry) continue;
    for (const inner of innerElements(content)) {
      const codec = inner.id === ID.codecId && inner.content.toString('latin1').replace(/\0+$/, '');
      if (codec) return CODECS[codec] ?? codec;
    }
  }
  return undefined;
}

function scaleIn(info: Buffer): number {
  for (const { id, content } of innerElements(info)) {
    if (id === ID.timestampScale) return unsignedIn(content) || USUAL_SCALE_NS;
  }
  return USUAL_SCALE_NS;
}

function unsignedIn(bytes: Buffer): number {
  return bytes.reduce((value, byte) => value * 256 + byte, 0);
}
