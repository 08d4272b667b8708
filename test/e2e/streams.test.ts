import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { after, before, test } from 'node:test';
import type { StreamView } from '../../src/control/types.ts';
import { startCamera } from '../support/camera.ts';
import { fileConfig, freePort } from '../support/config.ts';
import { TestServer, temporaryFolder } from '../support/server.ts';
import { until } from '../support/wait.ts';

const LIVE_MS = 20_000;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: TestServer;

before(async () => {
  folder = await temporaryFolder();
  server = await TestServer.start(folder.path, fileConfig(folder.path));
});

after(async () => {
  await server[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

async function post(id: string, url: string, more: object = {}): Promise<StreamView> {
  const reply = await server.request('POST', '/v1/streams', {
    id,
    source: { type: 'rtsp', url, ...more },
  });
  assert.equal(reply.status, 201, await reply.clone().text());
  return (await reply.json()) as StreamView;
}

async function remove(id: string): Promise<void> {
  const reply = await server.request('DELETE', `/v1/streams/${id}`);
  assert.equal(reply.status, 204);
  assert.equal((await server.request('GET', `/v1/streams/${id}`)).status, 404);
}

/** The states the stream went through, from the log. */
function statesOf(id: string): string[] {
  return server.logs
    .filter((line) => line['streamId'] === id && line.msg.startsWith('stream.'))
    .map(({ msg }) => msg.slice('stream.'.length));
}

test('POST starts a stream, its pictures can be fetched, DELETE ends its process', async () => {
  await using camera = await startCamera();
  const posted = await post('door', camera.url);
  assert.notEqual(posted.status.state, 'live');
  await server.streamIn('door', ['live'], LIVE_MS);
  await until('a picture is there', 10_000, async () => {
    const reply = await server.request('GET', '/v1/streams/door/snapshot.jpg');
    return reply.status === 200 && reply.headers.get('content-type') === 'image/jpeg';
  });
  const conflict = await server.request('POST', '/v1/streams', {
    id: 'door',
    source: { type: 'rtsp', url: camera.url },
  });
  assert.equal(conflict.status, 409);
  const { items } = await server.json<{ items: { pid: number; streams: string[] }[] }>(
    '/v1/workers',
  );
  const pid = items.find(({ streams }) => streams.includes('door'))!.pid;
  await remove('door');
  assert.ok(!server.tree().some((process) => process.pid === pid), 'its worker is gone');
});

test('a camera that refuses is connecting, then backoff with the reason, never live', async () => {
  await post('refusing', `rtsp://127.0.0.1:${await freePort()}/cam`);
  const stream = await server.streamIn('refusing', ['backoff'], 15_000);
  assert.equal(stream.status.reason?.code, 'SL_SOURCE_UNREACHABLE');
  assert.ok(stream.status.retryAt);
  await until(
    'it tries again',
    15_000,
    () => statesOf('refusing').filter((state) => state === 'backoff').length >= 2,
  );
  assert.ok(!statesOf('refusing').includes('live'));
  await remove('refusing');
});

test('a wrong password and a wrong path are told apart, and the password is nowhere', async () => {
  // With every character that a URL gives a meaning.
  const canary = 'kanarien/vogel @7731:#%?';
  await using camera = await startCamera({ args: ['--user', 'viewer'], password: canary });
  await post('locked', camera.url, { username: 'viewer', password: `${canary}-wrong` });
  const locked = await server.streamIn('locked', ['backoff', 'rejected'], 15_000);
  assert.equal(locked.status.reason?.code, 'SL_SOURCE_UNAUTHORIZED');
  await remove('locked');

  await post('opened', camera.url, { username: 'viewer', password: canary });
  await server.streamIn('opened', ['live'], LIVE_MS);
  assert.doesNotMatch(JSON.stringify(await server.stream('opened')), /vogel/);
  await remove('opened');

  await using open = await startCamera();
  await post('lost', open.url.replace(/\/cam$/, '/nowhere'));
  const lost = await server.streamIn('lost', ['backoff', 'rejected'], 15_000);
  assert.equal(lost.status.reason?.code, 'SL_SOURCE_NOT_FOUND');
  await remove('lost');
  assert.doesNotMatch(JSON.stringify(server.logs) + server.stderr.join(''), /vogel/);
});

test('a camera that dies mid-stream is in backoff, and live again when it returns', async () => {
  const camera = await startCamera();
  await post('fragile', camera.url);
  await server.streamIn('fragile', ['live'], LIVE_MS);
  await camera.kill();
  const gone = await server.streamIn('fragile', ['backoff', 'connecting'], 20_000);
  assert.ok(gone.status.reason);
  await using back = await startCamera({ port: camera.port });
  assert.equal(back.port, camera.port);
  const live = await server.streamIn('fragile', ['live'], 60_000);
  assert.ok(live.status.counters.reconnects >= 1);
  await remove('fragile');
});

test('a peer that answers garbage, and one that sends noise for pictures, never pass as live', async () => {
  const noise = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', () => socket.write('\x00\xff not RTSP at all\r\n\r\n'.repeat(50)));
  }).listen(0, '127.0.0.1');
  noise.unref();
  await once(noise, 'listening');
  const { port } = noise.address() as { port: number };
  await post('garbage', `rtsp://127.0.0.1:${port}/cam`);
  const garbage = await server.streamIn('garbage', ['backoff'], 30_000);
  assert.ok(garbage.status.reason?.code.startsWith('SL_SOURCE_'), garbage.status.reason?.code);
  assert.ok(!statesOf('garbage').includes('live'));
  await remove('garbage');
  noise.close();

  await using camera = await startCamera({ args: ['--garbage-after-frames', '0'] });
  await post('blind', camera.url);
  // After 15 s without a picture; a short wait can pass unseen between two looks, and the next comes 15 s later.
  const blind = await server.streamIn('blind', ['backoff'], 60_000);
  assert.ok(blind.status.reason?.code.startsWith('SL_SOURCE_'), blind.status.reason?.code);
  assert.ok(!statesOf('blind').includes('live'));
  await remove('blind');
});

test('killing a worker is seen with its signal, and the stream comes back', async () => {
  await using camera = await startCamera();
  await post('phoenix', camera.url);
  await server.streamIn('phoenix', ['live'], LIVE_MS);
  const { items } = await server.json<{ items: { pid: number; streams: string[] }[] }>(
    '/v1/workers',
  );
  process.kill(items.find(({ streams }) => streams.includes('phoenix'))!.pid, 'SIGKILL');
  await until('the exit is told', 5000, () =>
    server.logs.some((line) => line.msg === 'worker.exited' && line['signal'] === 'SIGKILL'),
  );
  const live = await server.streamIn('phoenix', ['live'], LIVE_MS);
  assert.equal(live.status.counters.workerRestarts, 1);
  await remove('phoenix');
});

test('specs that cannot run are refused before anything starts', async () => {
  const cases = [
    { body: { id: 'x', source: { type: 'rtsp', url: 'http://h/x' } }, status: 422 },
    {
      body: { id: 'x', source: { type: 'rtsp', url: 'rtsp://h/x' }, infer: { model: 'nope' } },
      status: 422,
    },
    {
      body: {
        id: 'x',
        source: { type: 'rtsp', url: 'rtsp://h/x' },
        infer: { model: 'centernet-320x320', classes: ['persn'] },
      },
      status: 422,
    },
    // A client of the API must not reach the server's files.
    { body: { id: 'x', source: { type: 'file', path: '/etc/passwd' } }, status: 422 },
    { body: { id: '../x', source: { type: 'rtsp', url: 'rtsp://h/x' } }, status: 400 },
    { body: { id: 'x', source: { type: 'rtsp' } }, status: 400 },
  ];
  for (const { body, status } of cases) {
    const reply = await server.request('POST', '/v1/streams', body);
    const problem = (await reply.json()) as { code: string; detail: string };
    assert.equal(reply.status, status, JSON.stringify(problem));
  }
  assert.equal((await server.request('GET', '/v1/streams/x')).status, 404);
});
