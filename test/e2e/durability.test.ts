import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Sink } from '../../src/api/schemas.ts';
import { startCamera } from '../support/camera.ts';
import { fileConfig } from '../support/config.ts';
import { missingFrames, readFrames } from '../support/delivered.ts';
import { Mosquitto, Subscriber } from '../support/mosquitto.ts';
import { isAlive } from '../support/processes.ts';
import { TestServer, temporaryFolder } from '../support/server.ts';
import { until } from '../support/wait.ts';

const LIVE_MS = 30_000;
/** How long the broker is away. */
const OUTAGE_MS = 6_000;

async function sink(server: TestServer, id: string): Promise<Sink> {
  const { items } = await server.json<{ items: Sink[] }>('/v1/sinks');
  return items.find((item) => item.id === id)!;
}

test('a broker that is away at the start and again later stops no video and gets every frame', async (t) => {
  await using folder = await temporaryFolder();
  await using camera = await startCamera();
  // The subscriber's session is made first, so that the broker keeps for it whatever it takes from then on.
  const broker = await Mosquitto.start(t);
  const subscriber = await Subscriber.open(t, broker.url, 'sightline/#');
  await broker.stop();
  await using server = await TestServer.start(
    folder.path,
    fileConfig(folder.path, {
      sinks: [
        { id: 'files', type: 'file', dir: `${folder.path}/out`, kinds: ['frame'] },
        { id: 'mqtt', type: 'mqtt', url: broker.url },
      ],
    }),
  );
  await server.request('POST', '/v1/streams', {
    id: 'cam',
    source: { type: 'rtsp', url: camera.url },
  });
  await server.streamIn('cam', ['live'], LIVE_MS);
  const waiting = await until('frames wait for the broker', 10_000, async () => {
    const state = await sink(server, 'mqtt');
    return state.pending >= 10 && state.lastError !== undefined && state;
  });
  assert.equal(waiting.delivered, 0);
  assert.equal(waiting.lastError?.code, 'SL_SINK_UNAVAILABLE');

  await broker.start();
  await until(
    'the backlog arrives',
    20_000,
    async () => (await sink(server, 'mqtt')).delivered > 10,
  );

  await broker.stop();
  const before = (await server.stream('cam')).status.counters.framesPublished;
  const gone = performance.now();
  await until(
    'the outage has lasted',
    OUTAGE_MS + 5000,
    () => performance.now() - gone > OUTAGE_MS,
  );
  const during = (await server.stream('cam')).status;
  assert.equal(during.state, 'live');
  // 10 frames a second; half of them at least, whatever else this machine does.
  assert.ok(during.counters.framesPublished - before > OUTAGE_MS / 200, 'video goes on');

  await broker.start();
  assert.equal((await server.request('DELETE', '/v1/streams/cam')).status, 204);
  const done = await until('everything is delivered', 60_000, async () => {
    const state = await sink(server, 'mqtt');
    return state.pending === 0 && state;
  });
  assert.equal(done.accepted, done.delivered, JSON.stringify(done));
  const files = await until('the files are complete', 10_000, async () => {
    const state = await sink(server, 'files');
    return state.pending === 0 && readFrames(`${folder.path}/out`);
  });
  assert.deepEqual(missingFrames(files), []);
  const ids = new Set(files.map(({ recordId }) => recordId));
  await until('the subscriber has them all', 10_000, () => {
    return framesOf(subscriber).size >= ids.size;
  });
  assert.deepEqual(framesOf(subscriber), ids);
});

/** Ids of the frames it was sent; events come over the same broker. */
function framesOf(subscriber: Subscriber): Set<string> {
  return new Set(subscriber.recordIds().filter((id) => !id.startsWith('event/')));
}

test('kill -9 of the whole tree during delivery loses no accepted frame', async () => {
  await using folder = await temporaryFolder();
  await using camera = await startCamera();
  const config = fileConfig(folder.path);
  let server = await TestServer.start(folder.path, config);
  await server.request('POST', '/v1/streams', {
    id: 'cam',
    source: { type: 'rtsp', url: camera.url },
  });
  for (let round = 0; round < 2; round += 1) {
    // The stream comes back by itself: the registry keeps what the API asked for.
    await server.streamIn('cam', ['live'], LIVE_MS);
    const before = (await sink(server, 'files')).delivered;
    await until('frames are delivered', 20_000, async () => {
      return (await sink(server, 'files')).delivered > before + 10;
    });
    const processes = server.tree().map(({ pid }) => pid);
    await server.killTree();
    await until('no process is left', 3000, () => !processes.some(isAlive));
    server = await TestServer.start(folder.path, config);
  }
  await server.streamIn('cam', ['live'], LIVE_MS);
  assert.equal((await server.request('DELETE', '/v1/streams/cam')).status, 204);
  const files = await until('everything is delivered', 20_000, async () => {
    const state = await sink(server, 'files');
    return state.pending === 0 && state;
  });
  assert.equal(files.accepted, files.delivered + files.deadLettered + files.shed + files.pending);
  assert.equal(files.shed + files.deadLettered, 0);
  await server[Symbol.asyncDispose]();
  const frames = await readFrames(`${folder.path}/out`);
  assert.ok(new Set(frames.map(({ session }) => session)).size >= 3);
  assert.deepEqual(missingFrames(frames), []);
});
