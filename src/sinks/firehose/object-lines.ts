import { float32ToJson } from '../../metadata/float32.ts';
import { decodeFrame } from '../../metadata/frame.ts';
import { objectRows } from '../file/parquet/rows.ts';

/**
 * A line per object of a frame: the columns of the Parquet files by their names, without those that have no value.
 * `timestamp` is RFC 3339, `timestamp_ms` the same since the Unix epoch.
 * @throws SightlineError `SL_INTERNAL` for bytes that are no frame
 */
export function objectLines(payload: Uint8Array): string[] {
  return objectRows(decodeFrame(payload)).map((row) => {
    const { timestamp, ...rest } = row;
    const line: Record<string, unknown> = {
      timestamp: new Date(timestamp as number).toISOString(),
      timestamp_ms: timestamp,
    };
    for (const [name, value] of Object.entries(rest)) {
      const plain = typeof value === 'number' ? finite(value) : jsonOf(value);
      if (plain !== null) line[name] = plain;
    }
    return JSON.stringify(line);
  });
}

/** As few digits as tell the float apart; what JSON has no number for is left out. */
function finite(value: number): number | null {
  const json = float32ToJson(value);
  return Number.isInteger(value) ? value : typeof json === 'number' ? json : null;
}

function jsonOf(value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value;
}
