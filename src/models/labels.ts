import { readFile } from 'node:fs/promises';
import { SightlineError } from '../common/errors.ts';

/**
 * Reads a labels file: one label a line, in the order of the model's classes. Empty lines at the end do not count.
 * @throws SightlineError `SL_MODEL_NOT_FOUND` when it cannot be read, `SL_MODEL_INVALID` when it has no label, an
 * empty one, or one twice (a label must name one class).
 */
export async function readLabels(file: string): Promise<string[]> {
  const labels = (await readText(file)).split('\n').map((line) => line.trim());
  while (labels.at(-1) === '') labels.pop();
  if (labels.length === 0) throw invalid(file, 'it has no labels; write one a line');
  for (const [index, label] of labels.entries()) {
    const line = index + 1;
    if (label === '') throw invalid(file, `line ${line} is empty; write one label a line`);
    const first = labels.indexOf(label) + 1;
    if (first < line) throw invalid(file, `line ${line} repeats "${label}" of line ${first}`);
  }
  return labels;
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new SightlineError(
      'SL_MODEL_NOT_FOUND',
      `Cannot read the labels ${file} (${(cause as NodeJS.ErrnoException).code}): correct \`labels\` in the manifest`,
      { cause },
    );
  }
}

function invalid(file: string, what: string): SightlineError {
  return new SightlineError('SL_MODEL_INVALID', `Cannot use the labels ${file}: ${what}`);
}
