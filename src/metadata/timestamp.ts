import { SightlineError } from '../common/errors.ts';

/** A google.protobuf.Timestamp as protobufjs decodes it: 64-bit seconds in two halves. */
export interface TimestampParts {
  readonly seconds?: { readonly low: number; readonly high: number } | null;
  readonly nanos?: number | null;
}

// 0001-01-01T00:00:00Z to 9999-12-31T23:59:59Z: what RFC 3339 and google.protobuf.Timestamp can express.
const MIN_SECONDS = -62_135_596_800;
const MAX_SECONDS = 253_402_300_799;

function secondsOf(timestamp: TimestampParts): number {
  const seconds = timestamp.seconds;
  if (seconds === undefined || seconds === null) return 0;
  return seconds.high * 2 ** 32 + (seconds.low >>> 0);
}

/** Milliseconds since the Unix epoch, cut (not rounded) to whole milliseconds. */
export function timestampToMs(timestamp: TimestampParts): number {
  return secondsOf(timestamp) * 1000 + Math.floor((timestamp.nanos ?? 0) / 1e6);
}

/**
 * RFC 3339 in UTC with 0, 3, 6 or 9 decimals, as few as keep every nanosecond (the proto3 JSON mapping).
 * @throws SightlineError `SL_INTERNAL` outside the years 1 to 9999 or with nanoseconds outside 0..999999999.
 */
export function timestampToRfc3339(timestamp: TimestampParts): string {
  const seconds = secondsOf(timestamp);
  const nanos = timestamp.nanos ?? 0;
  if (seconds < MIN_SECONDS || seconds > MAX_SECONDS || nanos < 0 || nanos > 999_999_999) {
    throw new SightlineError(
      'SL_INTERNAL',
      `Cannot print the timestamp ${seconds} s + ${nanos} ns: it lies outside what RFC 3339 can express`,
    );
  }
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}${fraction(nanos)}Z`;
}

function fraction(nanos: number): string {
  if (nanos === 0) return '';
  const digits = String(nanos).padStart(9, '0');
  if (digits.endsWith('000000')) return `.${digits.slice(0, 3)}`;
  return digits.endsWith('000') ? `.${digits.slice(0, 6)}` : `.${digits}`;
}
