/** The NAL units of a byte stream (Annex B), without start codes and trailing zeros. */
export function* splitByteStream(stream: Buffer): Generator<Buffer> {
  let code = stream.indexOf('\x00\x00\x01', 0, 'latin1');
  while (code >= 0) {
    const from = code + 3;
    code = stream.indexOf('\x00\x00\x01', from, 'latin1');
    let end = code < 0 ? stream.length : code;
    while (end > from && stream[end - 1] === 0) end--;
    if (end > from) yield stream.subarray(from, end);
  }
}

/** The NAL units of an MP4 sample (ISO/IEC 14496-15): each after its size in `lengthSize` bytes. Ends at a size that does not fit. */
export function* splitSample(sample: Buffer, lengthSize: number): Generator<Buffer> {
  let at = 0;
  while (at + lengthSize <= sample.length) {
    const size = sample.readUIntBE(at, lengthSize);
    at += lengthSize;
    if (at + size > sample.length) return;
    yield sample.subarray(at, at + size);
    at += size;
  }
}
