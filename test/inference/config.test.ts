import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import type { TSchema } from 'typebox';
import { SightlineError } from '../../src/common/errors.ts';
import { ROOT } from '../../src/common/paths.ts';
import { loadConfig } from '../../src/services/config/load.ts';
import { InferConfig, loadInferConfig } from '../../src/services/infer/config.ts';
import { temporaryFolder } from '../support/server.ts';

test('configs/infer.yaml is taken as it is and shows every key', async () => {
  const file = join(ROOT, 'configs', 'infer.yaml');
  process.env['SECRET'] ??= 'unused';
  const { config } = await loadInferConfig(file);
  assert.equal(config.queue.type, 'sqs');
  const text = readFileSync(file, 'utf8');
  const { queue, models, limits, autoscale, http } = InferConfig.properties;
  const parts = [
    ...[InferConfig, limits, autoscale, http, models.items],
    ...(queue as unknown as { oneOf: TSchema[] }).oneOf,
  ] as unknown as { properties: object }[];
  const keys = parts.flatMap(({ properties }) => Object.keys(properties));
  const missing = keys.filter((key) => !new RegExp(`\\b${key}:`).test(text));
  assert.deepEqual(missing, []);
});

test('the configurations of the decoupled demo are taken as they are', async () => {
  const file = (name: string) => join(ROOT, 'configs', 'decoupled', `${name}.yaml`);
  const { config } = await loadInferConfig(file('infer'));
  assert.equal(config.queue.queue, 'raw-frame-queue');
  for (const name of ['receive', 'react', 'query']) await loadConfig(file(name));
});

test('what cannot be used is told with its place', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'infer.json');
  const config = {
    dataDir: 'data',
    queue: { type: 'sqs', queue: 'frames' },
    models: [{ infer: { model: 'fixed' } }, { infer: { model: 'fixed' } }],
    sinks: [{ id: 'events', type: 'file', dir: 'out', kinds: ['event'] }],
  };
  await writeFile(file, JSON.stringify(config));
  await assert.rejects(loadInferConfig(file), (error) => {
    assert.ok(error instanceof SightlineError);
    assert.equal(error.code, 'SL_CONFIG_INVALID');
    assert.deepEqual(
      error.problems.map(({ pointer }) => pointer),
      ['/models/1/infer/model', '/sinks'],
    );
    return true;
  });
});
