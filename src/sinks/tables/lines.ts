import { float32ToJson } from '../../metadata/float32.ts';
import type { AnyTable } from './table.ts';

/**
 * A line of JSON for each row of a message: the columns by their names, without those that have no value. `timestamp` is
 * RFC 3339, `timestamp_ms` the same since the Unix epoch. Whole numbers of 64 bits have all their digits.
 * @throws SightlineError `SL_INTERNAL` for bytes that the table cannot read
 */
export function tableLines(table: AnyTable, payload: Uint8Array): string[] {
  const message = table.decode(payload);
  return table.itemsOf(message).map((item, index) => {
    let time = '';
    let rest = '';
    for (const column of table.columns) {
      const value = column.value(message, item, index);
      if (column.name === 'timestamp') {
        const ms = value as number;
        time = `"timestamp":"${new Date(ms).toISOString()}","timestamp_ms":${ms}`;
        continue;
      }
      const text = jsonOf(value);
      if (text !== undefined) rest += `,"${column.name}":${text}`;
    }
    return `{${time}${rest}}`;
  });
}

/** Undefined for what is left out. */
function jsonOf(value: unknown): string | undefined {
  if (value === null) return undefined;
  if (typeof value === 'number') return numberText(value);
  return typeof value === 'bigint' ? String(value) : JSON.stringify(value);
}

/** As few digits as tell the float apart; what JSON has no number for is left out. */
function numberText(value: number): string | undefined {
  if (Number.isInteger(value)) return String(value);
  const json = float32ToJson(value);
  return typeof json === 'number' ? String(json) : undefined;
}
