import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { test } from 'node:test';
import mqtt from 'mqtt';
import type { SinkView } from '../../src/api/dependencies.ts';
import { decodeFrame, type FrameJson, frameToJson } from '../../src/metadata/frame.ts';
import { startCamera } from '../support/camera.ts';
import { fileConfig, freePort } from '../support/config.ts';
import { missingFrames, readFrames } from '../support/delivered.ts';
import { isAlive } from '../support/processes.ts';
import { TestServer, temporaryFolder } from '../support/server.ts';
import { until } from '../support/wait.ts';

const LIVE_MS = 30_000;
/** How long the broker is away; the soak run sets 20000. */
const OUTAGE_MS = Number(process.env['SIGHTLINE_OUTAGE_MS'] ?? 4000);

async function startMosquitto(folder: string, port: number): Promise<ChildProcess> {
  const file = `${folder}/mosquitto.conf`;
  await writeFile(
    file,
    `listener ${port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 0\n`,
  );
  const broker = spawn('mosquitto', ['-c', file], { stdio: 'ignore' });
  await until('mosquitto listens', 5000, async () => {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return true;
    } finally {
      socket.destroy();
    }
  });
  return broker;
}

async function stopped(broker: ChildProcess): Promise<void> {
  broker.kill('SIGKILL');
  await once(broker, 'exit');
}

async function sink(server: TestServer, id: string): Promise<SinkView> {
  const { items } = await server.json<{ items: SinkView[] }>('/v1/sinks');
  return items.find((item) => item.id === id)!;
}

async function collect(port: number, into: FrameJson[]): Promise<mqtt.MqttClient> {
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, {
    protocolVersion: 5,
    clientId: `collector-${into.length}-${port}`,
  });
  client.on('message', (_topic, payload) => into.push(frameToJson(decodeFrame(payload))));
  await client.subscribeAsync('sightline/#', { qos: 1 });
  return client;
}

test('a broker that is away at the start and dies later stops no video and misses no frame', async () => {
  await using folder = await temporaryFolder();
  await using camera = await startCamera();
  const port = await freePort();
  await using server = await TestServer.start(
    folder.path,
    fileConfig(folder.path, {
      sinks: [
        { id: 'files', type: 'file', dir: `${folder.path}/out`, kinds: ['frame'] },
        { id: 'mqtt', type: 'mqtt', url: `mqtt://127.0.0.1:${port}` },
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
    return state.pending >= 10 && state;
  });
  assert.equal(waiting.delivered, 0);
  assert.equal(waiting.lastError?.code, 'SL_SINK_UNAVAILABLE');

  const received: FrameJson[] = [];
  let broker = await startMosquitto(folder.path, port);
  let client = await collect(port, received);
  await until(
    'the backlog arrives',
    20_000,
    async () => (await sink(server, 'mqtt')).delivered > 10,
  );

  await client.endAsync(true);
  await stopped(broker);
  const before = (await server.stream('cam')).status.counters.framesPublished;
  const gone = performance.now();
  await until(
    'the outage has lasted',
    OUTAGE_MS + 5000,
    () => performance.now() - gone > OUTAGE_MS,
  );
  const during = (await server.stream('cam')).status;
  assert.equal(during.state, 'live');
  assert.ok(during.counters.framesPublished > before, 'video goes on');

  broker = await startMosquitto(folder.path, port);
  client = await collect(port, received);
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
  // What the collector missed while it was away itself is not the product's: the broker had acknowledged it.
  const ids = new Set(files.map(({ recordId }) => recordId));
  for (const { recordId } of received) assert.ok(ids.has(recordId), recordId);
  assert.deepEqual(missingFrames(files), []);
  await client.endAsync(true);
  await stopped(broker);
});

test('kill -9 of the whole tree during delivery loses no accepted frame', async () => {
  await using folder = await temporaryFolder();
  await using camera = await startCamera();
  const config = fileConfig(folder.path);
  let server = await TestServer.start(folder.path, config);
  await server.request('POST', '/v1/streams', {
    id: 'cam',
    source: { type: 'rtsp', url: camera.url },
  });
  for (let round = 0; round < 3; round += 1) {
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
  assert.ok(new Set(frames.map(({ session }) => session)).size >= 4);
  assert.deepEqual(missingFrames(frames), []);
});

test('kill -9 of the server alone leaves no worker behind', async () => {
  await using folder = await temporaryFolder();
  await using camera = await startCamera();
  const server = await TestServer.start(folder.path, fileConfig(folder.path));
  await server.request('POST', '/v1/streams', {
    id: 'cam',
    source: { type: 'rtsp', url: camera.url },
  });
  await server.streamIn('cam', ['live'], LIVE_MS);
  const processes = server.tree().map(({ pid }) => pid);
  assert.ok(processes.length >= 2);
  server.signal('SIGKILL');
  await until('every worker is gone', 3000, () => !processes.some(isAlive));
});
