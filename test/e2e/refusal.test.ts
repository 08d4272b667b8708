import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { fileConfig, INFER } from '../support/config.ts';
import { TestServer, temporaryFolder } from '../support/server.ts';

/** Starts a server that must refuse, and returns what it said. */
async function refusal(folder: string, config: object): Promise<string> {
  await using server = await TestServer.launch(folder, config);
  assert.equal(await server.exited(20_000), 1);
  assert.equal(server.tree().length, 0);
  return server.stderr.join('\n');
}

test('a taken port is named, with the remedy', async () => {
  await using folder = await temporaryFolder();
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as { port: number };
  const said = await refusal(folder.path, fileConfig(folder.path, { http: { port } }));
  assert.match(said, new RegExp(`SL_PORT_TAKEN: .*127\\.0\\.0\\.1:${port}.*--port`));
  other.close();
});

test('a second server on one data folder refuses, and the first goes on', async () => {
  await using folder = await temporaryFolder();
  await using first = await TestServer.start(folder.path, fileConfig(folder.path));
  const said = await refusal(folder.path, fileConfig(folder.path));
  assert.match(said, /SL_DATA_DIR_LOCKED: /);
  assert.match(said, new RegExp(`${folder.path}/data`));
  assert.equal((await first.request('GET', '/healthz')).status, 200);
});

test('every problem of a configuration is told at once, with its place', async () => {
  await using folder = await temporaryFolder();
  const said = await refusal(folder.path, {
    dataDir: `${folder.path}/data`,
    htpp: {},
    http: { port: '8080' },
    sinks: [{ id: 'a', type: 'sqs', quue: 'x' }],
    pipelines: [{ id: 'p', streams: [] }],
  });
  assert.match(said, /SL_CONFIG_INVALID/);
  for (const pointer of [
    '/htpp',
    '/http/port',
    '/sinks/0/quue',
    '/sinks/0',
    '/pipelines/0/streams',
  ]) {
    assert.ok(said.includes(pointer), `${pointer} in:\n${said}`);
  }
});

test('ids that stand twice are refused', async () => {
  await using folder = await temporaryFolder();
  const source = { type: 'rtsp', url: 'rtsp://127.0.0.1:1/x' };
  const sinks = await refusal(
    folder.path,
    fileConfig(folder.path, {
      sinks: [
        { id: 'same', type: 'file', dir: 'a' },
        { id: 'same', type: 'file', dir: 'b' },
      ],
    }),
  );
  assert.match(sinks, /SL_CONFIG_INVALID.*same/s);
  const streams = await refusal(
    folder.path,
    fileConfig(folder.path, {
      pipelines: [
        {
          id: 'p',
          infer: INFER,
          streams: [
            { id: 'twice', source },
            { id: 'twice', source },
          ],
        },
      ],
    }),
  );
  assert.match(streams, /SL_CONFIG_INVALID.*\d+:\d+ \/pipelines\/0\/streams\/1\/id.*twice/s);
});

test('a file that is no video is rejected with its reason; a broken model is named', async () => {
  await using folder = await temporaryFolder();
  await writeFile(`${folder.path}/notes.mp4`, 'These are notes, and no video at all. '.repeat(100));
  await using server = await TestServer.start(
    folder.path,
    fileConfig(folder.path, {
      pipelines: [
        {
          id: 'notes',
          infer: INFER,
          streams: [{ id: 'notes', source: { type: 'file', path: `${folder.path}/notes.mp4` } }],
        },
      ],
    }),
  );
  const stream = await server.streamIn('notes', ['rejected'], 20_000);
  assert.equal(stream.status.reason?.code, 'SL_SOURCE_NOT_VIDEO');
});
