import type { ByteSource } from './mp4/boxes.ts';

// RFC 8794: EBML, what Matroska files are made of.

/** Id and size, both as long as they may be, and the head of a block. */
export const HEAD_BYTES = 24;

export interface Element {
  readonly id: number;
  readonly start: number;
  readonly contentStart: number;
  /** Infinite where it is not known. */
  readonly end: number;
}

/**
 * Elements that are there as a whole, one after the other. What is in those that are `opened` is walked through instead:
 * of them the head is enough, and their own size, unknown while they are written, does not matter.
 */
export async function* elementsOf(
  source: ByteSource,
  opened: ReadonlySet<number> = new Set(),
  from = 0,
  to = source.size,
): AsyncGenerator<Element, void, undefined> {
  let start = from;
  while (start < to) {
    const element = elementAt(await source.read(start, HEAD_BYTES), start);
    if (element === undefined) return;
    const isOpened = opened.has(element.id);
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
export function sizeAt(bytes: Buffer, at: number): { value: number; length: number } | undefined {
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
export function* innerElements(bytes: Buffer): Generator<{ id: number; content: Buffer }> {
  for (let start = 0; start < bytes.length; ) {
    const element = elementAt(bytes.subarray(start, start + HEAD_BYTES), start);
    if (element === undefined || element.end > bytes.length) return;
    yield { id: element.id, content: bytes.subarray(element.contentStart, element.end) };
    start = element.end;
  }
}

export function unsignedIn(bytes: Buffer): number {
  return bytes.reduce((value, byte) => value * 256 + byte, 0);
}
