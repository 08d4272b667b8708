import { readFile } from 'node:fs/promises';
import { SightlineError } from '../common/errors.ts';

/** Between the labels of a classifier, as nvinfer reads them. */
const SEPARATOR = ';';

/**
 * Reads a detector's labels: one a line, in the order of the model's classes. Empty lines at the end do not count.
 * @throws SightlineError `SL_MODEL_NOT_FOUND` when it cannot be read, `SL_MODEL_INVALID` when it has no label, an
 * empty one, or one twice (a label must name one class).
 */
export async function readLabels(file: string): Promise<string[]> {
  const labels = await readLines(file);
  if (labels.length === 0) throw invalid(file, 'it has no labels; write one a line');
  for (const [index, label] of labels.entries()) {
    const line = index + 1;
    if (label === '') throw invalid(file, `line ${line} is empty; write one label a line`);
    const first = labels.indexOf(label) + 1;
    if (first < line) throw invalid(file, `line ${line} repeats "${label}" of line ${first}`);
    if (label.includes(SEPARATOR)) {
      throw invalid(
        file,
        `line ${line} has a ";", where nvinfer would cut the label; take another sign`,
      );
    }
  }
  return labels;
}

/**
 * Reads the labels of a classifier: the values of its attribute on one line, with `;` between them, in the order of its
 * output. Throws as readLabels().
 */
export async function readAttributeLabels(file: string): Promise<string[]> {
  const lines = await readLines(file);
  if (lines.length !== 1) {
    const found = lines.length === 0 ? 'has no labels' : `has ${lines.length} lines`;
    throw invalid(file, `it ${found}; write a classifier's labels on one line, with ; between`);
  }
  const labels = lines[0]!.split(SEPARATOR).map((label) => label.trim());
  for (const [index, label] of labels.entries()) {
    if (label === '') throw invalid(file, `label ${index + 1} is empty; remove a ; or write it`);
    const first = labels.indexOf(label);
    if (first < index) {
      throw invalid(file, `label ${index + 1} repeats "${label}" of label ${first + 1}`);
    }
  }
  return labels;
}

/** The text of a labels file that nvinfer and slinfer read alike. */
export function formatLabels(task: 'detector' | 'classifier', labels: readonly string[]): string {
  return `${labels.join(task === 'detector' ? '\n' : SEPARATOR)}\n`;
}

async function readLines(file: string): Promise<string[]> {
  const lines = (await readText(file)).split('\n').map((line) => line.trim());
  while (lines.at(-1) === '') lines.pop();
  return lines;
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
