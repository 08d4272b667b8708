import type { QueryAnswer } from '../../query/request.ts';

export const FORMATS = ['table', 'json', 'csv'] as const;
export type Format = (typeof FORMATS)[number];

/** Wider cells are cut in a table. */
const MAX_CELL = 60;

/** The lines of an answer. JSON: an object a line. */
export function answerLines({ columns, rows }: QueryAnswer, format: Format): string[] {
  const names = columns.map(({ name }) => name);
  if (format === 'json') {
    return rows.map((row) =>
      JSON.stringify(Object.fromEntries(names.map((name, at) => [name, row[at]]))),
    );
  }
  const cells = rows.map((row) => row.map(cellText));
  if (format === 'csv') return [names, ...cells].map((row) => row.map(csvField).join(','));
  return tableLines([names, ...cells.map((row) => row.map(shortened))]);
}

function cellText(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** RFC 4180. */
function csvField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** No control character of a record reaches the terminal. */
function shortened(text: string): string {
  const plain = text.replace(/\p{Cc}/gu, ' ');
  return plain.length > MAX_CELL ? `${plain.slice(0, MAX_CELL - 1)}…` : plain;
}

function tableLines(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, at) => Math.max(...rows.map((row) => row[at]!.length)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, at) => cell.padEnd(widths[at]!))
      .join('  ')
      .trimEnd();
  const [head, ...rest] = rows.map(line);
  return [head!, widths.map((width) => '-'.repeat(width)).join('  '), ...rest];
}
