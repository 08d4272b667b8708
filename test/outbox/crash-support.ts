import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

/** Lines of a file that a killed process wrote. */
export function linesOf(file: string): string[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
}

/** Lines of `children/crash.ts`, each once: those of a stream and kind must be in the order of their appends. */
export function assertLinesInOrder(unique: Iterable<string>): void {
  const last = new Map<string, number>();
  for (const line of unique) {
    const [streamId, kind, round, index] = line.split(' ')[0]!.split('/');
    const position = Number(round) * 1e9 + Number(index);
    const series = `${streamId}/${kind}`;
    assert.ok(position > (last.get(series) ?? -1), `${line} came out of order`);
    last.set(series, position);
  }
}
