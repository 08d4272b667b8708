import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readFrames } from '../support/delivered.ts';
import { startFaultWorld } from '../support/fault-world.ts';
import { assertUninterrupted } from '../support/frame-gaps.ts';

const LIVE_MS = 20_000;
const ROUNDS = 5;

test('streams come to a running pipeline and go, and those that stay miss no frame', async () => {
  await using world = await startFaultWorld({ pipelines: {} });
  const { server } = world;
  const source = { type: 'rtsp', url: world.camera.urlOf('cam') };
  const stay = ['stays-1', 'stays-2'];
  const made = await server.request('POST', '/v1/pipelines', {
    id: 'p',
    infer: { model: world.model },
    streams: stay.map((id) => ({ id, source })),
  });
  assert.ok(made.ok, await made.text());
  for (const id of stay) await server.streamIn(id, ['live'], LIVE_MS);
  const { pid } = await world.worker('p');
  for (let round = 0; round < ROUNDS; round += 1) {
    const id = `guest-${round}`;
    const added = await server.request('POST', '/v1/pipelines/p/streams', { id, source });
    assert.ok(added.ok, await added.text());
    await server.streamIn(id, ['live'], LIVE_MS);
    const gone = await server.request('DELETE', `/v1/streams/${id}`);
    assert.ok(gone.ok, await gone.text());
    assert.equal((await server.request('GET', `/v1/streams/${id}`)).status, 404);
  }
  assert.equal((await world.worker('p')).pid, pid, 'it is the same worker');
  await server[Symbol.asyncDispose]();
  const frames = await readFrames(`${world.folder}/out`);
  for (const id of stay) assertUninterrupted(frames, id, { fps: 10 });
});
