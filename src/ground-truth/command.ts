import { readFileTruth } from './file.ts';
import { type Observation, reportStreams, type StreamReport } from './report.ts';

/**
 * `sightline ground-truth`: how complete the frames of the given files are, which are read in this order. Exit code 0
 * where every stream is whole and in order, else 1.
 */
export async function groundTruth(
  files: readonly string[],
  { json = false, print }: { readonly json?: boolean; print(line: string): void },
): Promise<number> {
  const observations: Observation[] = [];
  let unmarked = 0;
  for (const file of files) {
    const read = await readFileTruth(file);
    for (const truth of read.truths) observations.push({ truth });
    unmarked += read.unmarked;
  }
  const streams = reportStreams(observations);
  if (json) print(JSON.stringify({ streams, unmarked }));
  else {
    for (const stream of streams) print(describe(stream));
    if (unmarked > 0 || streams.length === 0) print(`${unmarked} frames carry no number`);
  }
  const isWhole = (one: StreamReport): boolean =>
    one.lost === 0 && one.duplicated === 0 && one.reordered === 0;
  return streams.length > 0 && unmarked === 0 && streams.every(isWhole) ? 0 : 1;
}

function describe(report: StreamReport): string {
  const { stream, received, first, last, lost, duplicated, reordered, gaps } = report;
  const runs = gaps.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)).join(', ');
  return (
    `stream ${stream}: ${received} frames, ${first} to ${last}; lost ${lost}${runs === '' ? '' : ` (${runs})`}, ` +
    `duplicated ${duplicated}, reordered ${reordered}`
  );
}
