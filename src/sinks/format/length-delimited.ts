/** Messages one after the other, each after its length as a varint: what protobuf libraries read as "delimited". */

export function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}

/** Writes a length at `offset`; returns where the next byte goes. */
export function writeVarint(target: Uint8Array, offset: number, value: number): number {
  let at = offset;
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) target[at++] = (rest % 128) | 0x80;
  target[at++] = rest;
  return at;
}

/** Writes the length and the message at `offset`; returns where the next one goes. */
export function writeDelimited(target: Buffer, offset: number, message: Uint8Array): number {
  const at = writeVarint(target, offset, message.byteLength);
  target.set(message, at);
  return at + message.byteLength;
}

export function encodeDelimited(messages: readonly Uint8Array[]): Buffer {
  let total = 0;
  for (const { byteLength } of messages) total += varintBytes(byteLength) + byteLength;
  const target = Buffer.allocUnsafe(total);
  let offset = 0;
  for (const message of messages) offset = writeDelimited(target, offset, message);
  return target;
}

/** A length at `offset`: its value and where the message starts; undefined when it is cut off or no length. */
export function readVarint(
  bytes: Uint8Array,
  offset: number,
): { value: number; end: number } | undefined {
  let value = 0;
  let scale = 1;
  for (let at = offset; at < bytes.byteLength && at < offset + 5; at++) {
    const byte = bytes[at]!;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return { value, end: at + 1 };
    scale *= 128;
  }
  return undefined;
}
