import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ControlEvent } from '../../src/control/types.ts';
import { fileConfig, freePort, INFER } from '../support/config.ts';
import { TestServer, temporaryFolder } from '../support/server.ts';
import { until } from '../support/wait.ts';

/** Every event the file sink wrote below the folder. */
async function readEvents(folder: string): Promise<ControlEvent[]> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const texts = names
    .filter((name) => name.endsWith('.events.ndjson'))
    .map((name) => readFile(join(folder, name), 'utf8'));
  return (await Promise.all(texts))
    .flatMap((text) => text.split('\n'))
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as ControlEvent);
}

test('a folder of pipelines and streams of the API run again after kill -9 of everything; sinks are told what happens', async () => {
  await using folder = await temporaryFolder();
  const url = `rtsp://root:canary-pass@127.0.0.1:${await freePort()}/away`;
  const source = { type: 'rtsp', url };
  const dir = join(folder.path, 'etc');
  const pipelines = join(dir, 'pipelines');
  await mkdir(pipelines, { recursive: true });
  await writeFile(join(dir, 'sightline.yaml'), JSON.stringify(fileConfig(folder.path)));
  const yard = { id: 'yard', infer: INFER, streams: [{ id: 'gate', source }] };
  await writeFile(join(pipelines, 'yard.json'), JSON.stringify(yard));

  await using server = await TestServer.open(dir);
  assert.equal((await server.request('POST', '/v1/streams', { id: 'dock', source })).status, 201);
  for (const id of ['gate', 'dock']) await server.streamIn(id, ['backoff'], 20_000);
  await writeFile(
    join(pipelines, 'more.yaml'),
    JSON.stringify({ ...yard, id: 'more', streams: [{ id: 'roof', source }] }),
  );
  await server.streamIn('roof', ['connecting', 'backoff'], 20_000);
  const events = await until('events in the sink', 20_000, async () => {
    const found = await readEvents(join(folder.path, 'out'));
    return (
      found.some(({ type, streamId }) => type === 'stream.backoff' && streamId === 'dock') && found
    );
  });
  assert.ok(events.some(({ type }) => type === 'worker.running'));
  assert.ok(!JSON.stringify(events).includes('canary-pass'));
  await server.killTree();

  await using again = await TestServer.open(dir);
  const up = performance.now();
  for (const id of ['gate', 'dock', 'roof']) {
    await again.streamIn(id, ['connecting', 'backoff'], 20_000);
  }
  const { pipelineId, source: from } = await again.stream('gate');
  assert.deepEqual([pipelineId, from], ['yard', 'folder']);
  process.stdout.write(
    `# running again ${Math.round(performance.now() - up)} ms after the server listened\n`,
  );
});
