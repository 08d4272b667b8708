/** Brightness of a picture, one byte a pixel, rows one after another. */
export interface LumaPicture {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** Bytes from row to row; the width. */
  readonly stride?: number;
}

/** What `--overlay` has drawn. */
export interface DrawnTruth {
  readonly frame: number;
  /** Unix time in ms when it was drawn. */
  readonly wallMs: number;
}

const COLUMNS = 64;
const CELLS = 2 * COLUMNS;
const SYNC = 0xb5c3;
const BRIGHT = 126;

/**
 * Reads the block code across the top of a picture (docs/fake-camera.md); undefined where there is none or it is
 * damaged. The picture may have been scaled or compressed; its cells must keep two pixels or more.
 */
export function readBlockCode(picture: LumaPicture): DrawnTruth | undefined {
  const cell = picture.width / COLUMNS;
  if (cell < 2 || picture.height < 2 * cell) return undefined;
  const bytes = Buffer.alloc(CELLS / 8);
  for (let index = 0; index < CELLS; index++) {
    const isWhite = brightness(picture, index % COLUMNS, Math.floor(index / COLUMNS)) > BRIGHT;
    if (isWhite) bytes[index >> 3]! |= 0x80 >> (index & 7);
  }
  if (bytes.readUInt16BE(0) !== SYNC || bytes.readUInt16BE(14) !== crc(bytes.subarray(2, 14))) {
    return undefined;
  }
  return { frame: bytes.readUIntBE(2, 6), wallMs: bytes.readUIntBE(8, 6) };
}

/** Mean of the middle half of a cell, away from what compression smears over the edges. */
function brightness(picture: LumaPicture, column: number, row: number): number {
  const { data, width, stride = width } = picture;
  const cell = width / COLUMNS;
  const from = (at: number): number => Math.floor((at + 0.25) * cell);
  const to = (at: number): number => Math.max(from(at) + 1, Math.ceil((at + 0.75) * cell));
  let sum = 0;
  let count = 0;
  for (let y = from(row); y < to(row); y++) {
    for (let x = from(column); x < to(column); x++) {
      sum += data[y * stride + x] ?? 0;
      count++;
    }
  }
  return sum / count;
}

/** CRC-16 with the polynomial 0x1021 and the start 0xffff (CCITT). */
function crc(bytes: Uint8Array): number {
  let value = 0xffff;
  for (const byte of bytes) {
    value ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) {
      value = ((value & 0x8000) === 0 ? value << 1 : (value << 1) ^ 0x1021) & 0xffff;
    }
  }
  return value;
}
