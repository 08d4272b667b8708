import { readFileSync } from 'node:fs';

/** Lines of a file that a killed process wrote. */
export function linesOf(file: string): string[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
}
