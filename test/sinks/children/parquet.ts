import { writeSync } from 'node:fs';
import { checkValue } from '../../../src/common/check.ts';
import { FileSink } from '../../../src/sinks/file/sink.ts';
import { FileSinkSpec } from '../../../src/sinks/file/spec.ts';
import { frameRecord, NO_LIMIT } from '../samples.ts';

// Delivers to Parquet for ever, in small parts, and prints the number of each record that was accepted.

const [root = '', first = '1'] = process.argv.slice(2);
const spec = { id: 'files', type: 'file', dir: 'unused', formats: ['parquet'], maxFileBytes: 4096 };
const sink = new FileSink({ ...checkValue(spec, FileSinkSpec), maxWaitMs: 0 }, { root });
for (let seq = Number(first); ; seq++) {
  const [result] = await sink.deliver([frameRecord(seq)], NO_LIMIT);
  if (result?.status !== 'accepted') throw new Error(`Record ${seq} was not accepted`);
  // Before the next one, as an acknowledgement.
  writeSync(1, `${seq}\n`);
}
