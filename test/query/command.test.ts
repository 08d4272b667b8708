import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { stringify } from 'yaml';
import { queryCommand } from '../../src/services/query/command.ts';
import { folder, write } from './files.ts';

const sinks = [{ id: 'files', type: 'file', dir: 'records', formats: ['parquet'] }];
const CONFIGS = {
  server: { dataDir: 'data', sinks },
  infer: {
    ...{ dataDir: 'data', sinks, queue: { type: 'sqs', queue: 'raw-frame-queue' } },
    models: [{ infer: { model: 'centernet-320x320' } }],
  },
};

test('the command finds the files of a server, and those of infer', async (context) => {
  const root = folder(context);
  await write(join(root, 'records'), [{ sequence: 1 }]);
  for (const [name, values] of Object.entries(CONFIGS)) {
    const config = join(root, `${name}.yaml`);
    writeFileSync(config, stringify(values));
    const lines: string[] = [];
    const io = {
      signal: new AbortController().signal,
      print: (line: string) => void lines.push(line),
      tell: () => undefined,
    };
    const ask = (more: object) =>
      queryCommand('SELECT count(*) AS n FROM detections', { config, format: 'json', ...more }, io);
    await ask({});
    assert.deepEqual(lines, ['{"n":2}'], name);
    await assert.rejects(ask({ athena: true }), { code: 'SL_REQUEST_INVALID' });
  }
});
