import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { checkValue } from '../../src/common/check.ts';
import { lowerCpu } from '../../src/pipeline/backends/cpu.ts';
import { resolve } from '../../src/pipeline/resolve.ts';
import { StreamSpec } from '../../src/pipeline/spec.ts';
import { camera } from '../gst/graphs.ts';
import { startCamera } from '../support/camera.ts';
import { interleavedRtp } from '../support/rtp-h264.ts';
import {
  type Behaviour,
  playThen,
  refuseWith,
  sdp,
  startRtspDouble,
} from '../support/rtsp-double.ts';
import { until } from '../support/wait.ts';
import { WorkerHarness } from './worker-harness.ts';

/** A port that refuses: it was just ours. */
async function refusedPort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

test('a camera that refuses connections is connecting, then in back-off, never live', async () => {
  await using worker = await WorkerHarness.launch();
  const location = `rtsp://127.0.0.1:${await refusedPort()}/cam`;
  await worker.start([camera('cam', { location })]);
  const backoff = await worker.phase('cam', 'backoff');
  assert.equal(backoff.code, 'SL_SOURCE_UNREACHABLE');
  await until('three attempts', 10_000, () => {
    return worker.phases('cam').filter(({ phase }) => phase === 'backoff').length >= 3;
  });
  const phases = worker.phases('cam').map(({ phase }) => phase);
  assert.deepEqual(new Set(phases), new Set(['connecting', 'backoff']));
  assert.equal(phases[0], 'connecting');
  const stopped = await worker.request('stop', { drainMs: 1_000 });
  assert.deepEqual(stopped, { id: 2, result: { drained: true } });
});

const REFUSALS: readonly [string, Behaviour, string][] = [
  ['404', refuseWith('404 Not Found'), 'SL_SOURCE_NOT_FOUND'],
  ['403', refuseWith('403 Forbidden'), 'SL_SOURCE_UNAUTHORIZED'],
  ['503', refuseWith('503 Service Unavailable'), 'SL_SOURCE_UNREACHABLE'],
  ['no stream at all', playThen('v=0\r\n', () => undefined), 'SL_SOURCE_BROKEN'],
  ['text that is no RTSP', () => 'HTTP/1.1 200 OK\r\n\r\nnonsense\r\n\r\n', 'SL_SOURCE_BROKEN'],
  [
    'an end of the connection',
    (_request, socket) => {
      socket.destroy();
      return undefined;
    },
    'SL_SOURCE_BROKEN',
  ],
  [
    'noise',
    (_request, socket) => {
      socket.write(Buffer.alloc(4096, 0xa5));
      return undefined;
    },
    'SL_SOURCE_BROKEN',
  ],
  ['silence', () => undefined, 'SL_SOURCE_BROKEN'],
];
for (const [what, behaviour, code] of REFUSALS) {
  test(`a camera that answers with ${what} gives ${code} and is tried again`, async () => {
    await using double = await startRtspDouble(behaviour);
    await using worker = await WorkerHarness.launch();
    const location = double.url;
    await worker.start([camera('cam', { location, 'tcp-timeout': 500_000 })]);
    assert.equal((await worker.phase('cam', 'backoff')).code, code);
    assert.ok(!worker.phases('cam').some(({ phase }) => phase === 'live'));
  });
}

const UNSUPPORTED: readonly [string, string][] = [
  ['sound only', sdp('audio', 'PCMU/8000')],
  ['a codec that no alternative takes', sdp('video', 'H263/90000')],
];
for (const [what, description] of UNSUPPORTED) {
  test(`a camera that sends ${what} fails with SL_SOURCE_UNSUPPORTED and is left alone`, async () => {
    await using double = await startRtspDouble(
      playThen(description, (socket) => {
        for (let i = 0; i < 20; i++) {
          const payload = Buffer.alloc(160);
          socket.write(interleavedRtp({ sequence: i, timestamp: i * 160, payload }));
        }
      }),
    );
    await using worker = await WorkerHarness.launch();
    await worker.start([camera('cam', { location: double.url })]);
    const failed = await worker.phase('cam', 'failed');
    assert.equal(failed.code, 'SL_SOURCE_UNSUPPORTED');
    assert.match(
      failed.message ?? '',
      /offers application\/x-rtp,media=(audio|video),encoding-name=/,
    );
  });
}

const REDIRECTS: readonly [string, (port: number) => string, RegExp][] = [
  // Nobody answers there: it is named all the same.
  ['another host', () => 'rtsp://joe:battery-staple@127.0.0.2/cam', /host "127\.0\.0\.2"/],
  ['itself without end', (port) => `rtsp://127.0.0.1:${port}/cam`, /again and again/],
  ['a file', () => 'file:///etc/passwd', /again and again/],
];
for (const [where, location, says] of REDIRECTS) {
  test(`a camera that redirects to ${where} is not followed, and is probed slowly`, async () => {
    await using double = await startRtspDouble((request, socket) => {
      const { port } = new URL(request.url);
      return refuseWith('302 Found', { Location: location(Number(port)) })(request, socket);
    });
    await using worker = await WorkerHarness.launch();
    await worker.start([camera('cam', { location: double.url })], { authProbeMs: 123_456 });
    const backoff = await worker.phase('cam', 'backoff');
    assert.deepEqual([backoff.code, backoff.retryInMs], ['SL_SOURCE_REDIRECTED', 123_456]);
    assert.match(backoff.message ?? '', says);
    assert.doesNotMatch(JSON.stringify([worker.events, worker.stderr]), /battery-staple/);
    assert.ok(double.requests.filter(({ method }) => method === 'DESCRIBE').length <= 8);
  });
}

test('a camera that redirects on its own host is followed', async () => {
  await using real = await startCamera();
  await using double = await startRtspDouble(refuseWith('302 Found', { Location: real.url }));
  await using worker = await WorkerHarness.launch();
  await worker.start([camera('cam', { location: double.url })]);
  await worker.phase('cam', 'live');
});

test('a camera that refuses the password is probed slowly, and the password is told to nobody', async () => {
  await using real = await startCamera({ args: ['--user', 'joe'], password: 'correct-horse' });
  await using worker = await WorkerHarness.launch();
  const secret = 'battery-staple';
  const properties = { location: real.url, 'user-id': 'joe', 'user-pw': secret };
  await worker.start([camera('cam', properties, ['user-pw'])], { authProbeMs: 123_456 });
  const backoff = await worker.phase('cam', 'backoff');
  assert.equal(backoff.code, 'SL_SOURCE_UNAUTHORIZED');
  assert.equal(backoff.retryInMs, 123_456);
  await until('GStreamer’s log', 5_000, () => worker.events.some(({ event }) => event === 'log'));
  assert.doesNotMatch(JSON.stringify([worker.events, worker.stderr]), /battery-staple/);
});

test('credentials in the address are offered once an attempt and never told', async () => {
  await using double = await startRtspDouble(
    refuseWith('401 Unauthorized', { 'WWW-Authenticate': 'Basic realm="camera"' }),
  );
  await using worker = await WorkerHarness.launch();
  const location = double.url.replace('//', '//joe:battery-staple@');
  await worker.start([camera('cam', { location }, ['location'])]);
  assert.equal((await worker.phase('cam', 'backoff')).code, 'SL_SOURCE_UNAUTHORIZED');
  const offers = double.requests.filter(({ headers }) => headers.has('authorization'));
  assert.equal(offers.length, 1);
  assert.doesNotMatch(JSON.stringify([worker.events, worker.stderr]), /battery-staple/);
});

test('a camera with the right password is live with its first picture', async () => {
  await using real = await startCamera({ args: ['--user', 'joe'], password: 'correct-horse' });
  await using worker = await WorkerHarness.launch();
  const properties = { location: real.url, 'user-id': 'joe', 'user-pw': 'correct-horse' };
  await worker.start([camera('cam', properties, ['user-pw'])]);
  await worker.phase('cam', 'live');
  await until('pictures', 5_000, () => worker.records.length > 5);
  const drained = await worker.request('stop', { drainMs: 2_000 });
  assert.deepEqual(drained, { id: 2, result: { drained: true } });
});

test('a camera whose path is wrong is not found', async () => {
  await using real = await startCamera();
  await using worker = await WorkerHarness.launch();
  await worker.start([camera('cam', { location: `${real.url}-other` })]);
  assert.equal((await worker.phase('cam', 'backoff')).code, 'SL_SOURCE_NOT_FOUND');
});

const FAULTS: readonly [string, string, readonly string[]][] = [
  ['falls silent', '--stall-after-frames', ['SL_SOURCE_STALLED']],
  // A decoder may refuse noise or wait for the next key frame.
  [
    'sends noise in place of pictures',
    '--garbage-after-frames',
    ['SL_SOURCE_BROKEN', 'SL_SOURCE_STALLED'],
  ],
];
for (const [what, option, codes] of FAULTS) {
  test(`a camera that ${what} is reconnected and live again`, async () => {
    await using real = await startCamera({ args: [option, '10', '--fps', '30'] });
    await using worker = await WorkerHarness.launch();
    await worker.start([camera('cam', { location: real.url })], { stallTimeoutMs: 1_500 });
    await worker.phase('cam', 'live');
    const backoff = await worker.phase('cam', 'backoff', 15_000);
    assert.ok(codes.includes(backoff.code ?? ''), backoff.code);
    await until('it is live again', 10_000, () => {
      return worker.phases('cam').filter(({ phase }) => phase === 'live').length >= 2;
    });
  });
}

test('a camera whose pictures are noise is degraded, not live', async () => {
  await using real = await startCamera({ args: ['--fault', 'damaged-pictures@10'] });
  await using worker = await WorkerHarness.launch();
  const spec = { id: 'cam', source: { type: 'rtsp', url: real.url }, images: { everyMs: 1000 } };
  const pipeline = resolve(checkValue(spec, StreamSpec), { models: new Map() });
  const { graphs } = lowerCpu(pipeline, { onnxRuntimeLibrary: '', cores: 1, filesDir: '/tmp' });
  await worker.start(graphs, { degradedAfterMs: 2_000 });
  await worker.phase('cam', 'live');
  const degraded = await worker.phase('cam', 'degraded', 15_000);
  assert.equal(degraded.code, 'SL_STREAM_DEGRADED');
  assert.match(degraded.message ?? '', /of the pictures are damaged/);
});

test('a camera that dies and comes back on its port is live again', async () => {
  const first = await startCamera();
  await using worker = await WorkerHarness.launch();
  await worker.start([camera('cam', { location: first.url })]);
  await worker.phase('cam', 'live');
  await first.kill();
  const backoff = await worker.phase('cam', 'backoff');
  assert.ok(['SL_SOURCE_ENDED', 'SL_SOURCE_BROKEN'].includes(backoff.code ?? ''), backoff.code);
  await until('it is refused', 10_000, () => {
    return worker.phases('cam').some(({ code }) => code === 'SL_SOURCE_UNREACHABLE');
  });
  await using _second = await startCamera({ port: first.port });
  await until('it is live again', 10_000, () => {
    return worker.phases('cam').filter(({ phase }) => phase === 'live').length >= 2;
  });
});
