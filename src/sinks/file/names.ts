import { createHash } from 'node:crypto';
import { join } from 'node:path';

const MAX_SEGMENT = 200;

/**
 * A text as one file name: whatever is not a letter, digit, `_`, `-` or `.` is percent-encoded, and so is a leading
 * dot, so that no id can leave its folder. A very long one is cut and gets a hash.
 */
export function fileName(text: string): string {
  const safe = Buffer.from(text)
    .toString('latin1')
    .replace(/[^A-Za-z0-9_.-]|^\./g, (char) => {
      return `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
    });
  if (safe === '') return '%';
  if (safe.length <= MAX_SEGMENT) return safe;
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 32);
  return `${safe.slice(0, MAX_SEGMENT - 33)}-${hash}`;
}

/** A `/`-separated key as a relative path of safe names. */
export function filePath(key: string): string {
  return join(
    ...key
      .split('/')
      .filter((segment) => segment !== '')
      .map(fileName),
  );
}

const HOUR_MS = 3_600_000;
const END_OF_TIME_MS = 253_402_300_800_000;
let lastHour = { number: -1, names: { day: '', hour: '' } };

/** UTC folder and hour of a capture time: `2026-01-31` and `13`. A time out of range counts as 1970. */
export function dayAndHour(atMs: number): { readonly day: string; readonly hour: string } {
  const number = atMs >= 0 && atMs < END_OF_TIME_MS ? Math.floor(atMs / HOUR_MS) : 0;
  if (number !== lastHour.number) {
    const iso = new Date(number * HOUR_MS).toISOString();
    lastHour = { number, names: { day: iso.slice(0, 10), hour: iso.slice(11, 13) } };
  }
  return lastHour.names;
}
