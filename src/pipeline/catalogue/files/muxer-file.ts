import { type KeyFile, valueIn } from '../key-file.ts';
import { placeOf } from './nvinfer-file.ts';
import { type FileProblem, fileError } from './problem.ts';

/**
 * The file of the new muxer: batches as large as its streams are many, and rates in order.
 * @param muxer its linked pads, and its own batch size where one is set
 */
export function checkMuxerFile(
  file: KeyFile,
  muxer: { readonly pads: readonly number[]; readonly linked: number; readonly batch?: number },
): FileProblem[] {
  const group = file.groups.find(({ name }) => name === 'property');
  if (group === undefined) return [];
  const problems: FileProblem[] = [];
  const number = (key: string) => {
    const value = valueIn(file, 'property', key);
    return value === undefined ? undefined : Number(value);
  };
  const batch = number('batch-size');
  if (batch !== undefined && batch < muxer.linked) {
    const text = `is ${batch}, but ${muxer.linked} streams are linked: it must be at least ${muxer.linked}`;
    problems.push(fileError(text, placeOf(group, 'batch-size')));
  }
  if (batch !== undefined && muxer.batch !== undefined && batch !== muxer.batch) {
    const text = `is ${batch}, but the element's "batch-size" is ${muxer.batch}: the file wins`;
    problems.push(fileError(text, placeOf(group, 'batch-size')));
  }
  const rate = (of: string, initial: number) =>
    (number(`overall-${of}-fps-n`) ?? initial) / (number(`overall-${of}-fps-d`) ?? 1);
  if (rate('min', 5) > rate('max', 120)) {
    const text = `is ${rate('min', 5)} frames a second, more than the greatest, ${rate('max', 120)}`;
    problems.push(fileError(text, placeOf(group, 'overall-min-fps-n')));
  }
  for (const { name, line } of file.groups) {
    const index = /^source-config-(\d+)$/.exec(name)?.[1];
    if (index === undefined || muxer.pads.includes(Number(index))) continue;
    if (muxer.pads.length < muxer.linked) continue;
    const text = `is about source ${index}, but the muxer has no pad "sink_${index}"`;
    problems.push(fileError(text, { group: name, line }));
  }
  return problems;
}
