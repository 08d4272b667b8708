import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { FrameJson } from '../../src/metadata/frame-json.ts';
import { decodeImage } from '../../src/metadata/image.ts';
import type { Lowered } from '../../src/pipeline/graph.ts';
import { DATA_KIND_IMAGE, type StatsEvent, type StreamPolicy } from '../../src/worker/protocol.ts';
import { startCamera } from '../support/camera.ts';
import { freePort } from '../support/config.ts';
import { temporaryFolder } from '../support/server.ts';
import { framesOf, lowerForStandIn, standInCamera, standInEnv } from '../support/stand-in.ts';
import { until } from '../support/wait.ts';
import { WorkerHarness } from './worker-harness.ts';

const CAMERAS = ['dock', 'gate', 'yard'];
/** nvurisrcbin waits three seconds, not ten, before it connects again. */
const IMPATIENT = {
  deepstream: { elements: { nvurisrcbin: { 'rtsp-reconnect-interval': 3 } } },
};

async function run(
  lowered: Lowered,
  options: { env?: NodeJS.ProcessEnv; policy?: Partial<StreamPolicy> } = {},
): Promise<WorkerHarness> {
  const env = { ...standInEnv(), ...lowered.environment, ...options.env };
  const worker = await WorkerHarness.launch({ env });
  await worker.start(lowered.graphs, { startTimeoutMs: 60_000, ...options.policy });
  return worker;
}

function stats(worker: WorkerHarness): readonly StatsEvent[] {
  return worker.events.filter((event): event is StatsEvent => event.event === 'stats');
}

function told(worker: WorkerHarness, id: string): readonly string[] {
  return worker.phases(id).map(({ phase }) => phase);
}

function framesBy(worker: WorkerHarness, id: string): readonly FrameJson[] {
  return framesOf(worker.records).filter(({ streamId }) => streamId === id);
}

function sequences(frames: readonly FrameJson[]): readonly number[] {
  return frames.map(({ frameSequence }) => Number(frameSequence));
}

/** Boxes are 32-bit floats. */
function pixels({ bbox }: FrameJson['objects'][number]): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(bbox!).map(([key, value]) => [key, Math.round(Number(value))]),
  );
}

test('three cameras in one DeepStream graph: each frame arrives with its names, boxes and ids', async () => {
  await using folder = await temporaryFolder();
  const lowered = await lowerForStandIn(
    CAMERAS.map((id) => standInCamera(id)),
    folder.path,
  );
  assert.equal(lowered.graphs.length, 1);
  await using worker = await run(lowered);
  for (const id of CAMERAS) await worker.phase(id, 'live', 30_000);
  await until('20 frames of each', 10_000, () =>
    CAMERAS.every((id) => framesBy(worker, id).length >= 20),
  );
  const stopped = await worker.request('stop', { drainMs: 3_000 });
  assert.ok('result' in stopped);
  assert.deepEqual(stopped.result, { drained: true });

  const sessions = new Set<string>();
  for (const [index, id] of CAMERAS.entries()) {
    const frames = framesBy(worker, id);
    assert.deepEqual(sequences(frames), [...frames.keys()], `${id} has no gap`);
    const frame = frames[10]!;
    assert.equal(frame.sensorId, `sensor-${id}`);
    assert.deepEqual(frame.model, {
      name: 'centernet-512x384',
      version: frame.model!.version,
      backend: 'deepstream',
      executionProvider: 'TensorRT',
    });
    assert.equal(frame.tracker, 'nvsort');
    assert.deepEqual([frame.frameWidth, frame.frameHeight], [1280, 720]);
    // The stand-in's boxes are percents of the batch's 1920 x 1080; they come in the source's pixels.
    const [person, car] = frame.objects;
    assert.equal(person?.type, 'person');
    assert.equal(person.id, String(100 * (index + 1)));
    assert.deepEqual(pixels(car!), { leftX: 640, topY: 128, rightX: 896, bottomY: 256 });
    sessions.add(frame.session);
  }
  assert.deepEqual([...sessions], [worker.phases('dock')[1]!.session]);
  // What was counted is what came, stream by stream.
  const counted = stats(worker).at(-1)!.streams;
  for (const id of CAMERAS) {
    assert.equal(counted[id]!.framesPublished, framesBy(worker, id).length);
    assert.ok(counted[id]!.framesInferred >= counted[id]!.framesPublished);
    assert.equal(counted[id]!.recordsDropped, 0);
    assert.deepEqual(told(worker, id), ['connecting', 'live', 'stopped']);
  }
});

test('a camera that dies is connected again inside the graph; the others lose no frame', async () => {
  await using folder = await temporaryFolder();
  const streams = [
    standInCamera('dock'),
    standInCamera('gate', 'pictures=30'),
    standInCamera('yard'),
  ];
  await using worker = await run(await lowerForStandIn(streams, folder.path, IMPATIENT), {
    policy: { stallTimeoutMs: 700 },
  });
  await worker.phase('gate', 'live', 30_000);
  const backoff = await worker.phase('gate', 'backoff');
  assert.equal(backoff.code, 'SL_SOURCE_STALLED');
  assert.match(backoff.message ?? '', /connected again inside the running pipeline/);
  assert.equal(backoff.retryInMs, undefined);
  // The timer that brings it back hangs on GLib's default main context: somebody iterates it.
  await until('it is live again', 15_000, () => {
    return told(worker, 'gate').filter((phase) => phase === 'live').length === 2;
  });
  assert.deepEqual(told(worker, 'gate'), ['connecting', 'live', 'backoff', 'connecting', 'live']);
  assert.equal(new Set(worker.phases('gate').map(({ session }) => session)).size, 1);
  await until('frames come again', 5_000, () => framesBy(worker, 'gate').length > 40);
  for (const id of ['dock', 'yard']) {
    assert.deepEqual(told(worker, id), ['connecting', 'live']);
    const frames = framesBy(worker, id);
    assert.deepEqual(sequences(frames), [...frames.keys()], `${id} has no gap`);
  }
});

test('a camera that refuses the password says so, and is no error of the others', async () => {
  await using folder = await temporaryFolder();
  const streams = [standInCamera('dock'), standInCamera('gate', 'pictures=0&then=refuse&lives=99')];
  await using worker = await run(await lowerForStandIn(streams, folder.path, IMPATIENT), {
    policy: { firstFrameTimeoutMs: 1_000 },
  });
  const backoff = await worker.phase('gate', 'backoff', 30_000);
  assert.equal(backoff.code, 'SL_SOURCE_UNAUTHORIZED');
  assert.ok(!told(worker, 'gate').includes('live'));
  await worker.phase('dock', 'live');
  assert.deepEqual(told(worker, 'dock'), ['connecting', 'live']);
});

test('a decoder that fails takes its stream out; the graph is started anew for it when it stays so', async () => {
  await using folder = await temporaryFolder();
  const streams = [standInCamera('dock'), standInCamera('gate', 'pictures=10&then=decoder')];
  await using worker = await run(await lowerForStandIn(streams, folder.path), {
    policy: { shared: { rescueBaseMs: 2_000 } },
  });
  const backoff = await worker.phase('gate', 'backoff', 30_000);
  assert.equal(backoff.code, 'SL_SOURCE_BROKEN');
  assert.match(backoff.message ?? '', /decoder gave up/);
  assert.ok(backoff.retryInMs! > 1_500);
  assert.match((await worker.phase('dock', 'backoff')).message ?? '', /bring back stream "gate"/);
  await until('both run again', 20_000, () =>
    ['dock', 'gate'].every(
      (id) => told(worker, id).filter((phase) => phase === 'live').length === 2,
    ),
  );
});

test('an error of the detector starts the graph anew for all', async () => {
  await using folder = await temporaryFolder();
  const lowered = await lowerForStandIn(
    CAMERAS.map((id) => standInCamera(id)),
    folder.path,
  );
  await using worker = await run(lowered, { env: { STANDIN_INFER_FAIL_AFTER: '60' } });
  for (const id of CAMERAS) {
    const backoff = await worker.phase(id, 'backoff', 30_000);
    assert.match(backoff.message ?? '', /told to fail.*node "infer", nvinfer/);
  }
  await until('all are live again', 20_000, () =>
    CAMERAS.every((id) => told(worker, id).filter((phase) => phase === 'live').length === 2),
  );
  assert.equal(new Set(worker.phases('dock').map(({ session }) => session)).size, 2);
});

test('recordings end one by one; when the last has ended the worker leaves', async () => {
  await using folder = await temporaryFolder();
  const streams = [];
  for (const [id, pictures] of [
    ['short', 20],
    ['long', 60],
  ] as const) {
    const path = join(folder.path, `${id}.mp4`);
    await writeFile(path, Buffer.alloc(pictures));
    streams.push({ id, source: { type: 'file', path, pace: 'none' } });
  }
  await using worker = await run(await lowerForStandIn(streams, folder.path));
  for (const id of ['short', 'long']) {
    assert.equal((await worker.phase(id, 'ended', 30_000)).code, 'SL_SOURCE_ENDED');
  }
  assert.deepEqual(await worker.exited(10_000), { code: 0, signal: null });
  assert.equal(framesBy(worker, 'short').length, 20);
  assert.equal(framesBy(worker, 'long').length, 60);
});

test('a recording that is not there fails alone', async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'missing.mp4');
  const missing = { id: 'missing', source: { type: 'file', path, pace: 'realtime' } };
  const streams = [standInCamera('dock'), missing];
  await using worker = await run(await lowerForStandIn(streams, folder.path));
  assert.equal((await worker.phase('missing', 'backoff', 30_000)).code, 'SL_SOURCE_NOT_FOUND');
  await worker.phase('dock', 'live', 30_000);
});

test('the new muxer is chosen by the environment the backend asks for', async () => {
  await using folder = await temporaryFolder();
  const lowered = await lowerForStandIn(
    CAMERAS.map((id) => standInCamera(id)),
    folder.path,
    {
      deepstream: { muxer: { kind: 'new' } },
    },
  );
  assert.equal(lowered.environment['USE_NEW_NVSTREAMMUX'], 'yes');
  await using worker = await run(lowered);
  for (const id of CAMERAS) await worker.phase(id, 'live', 30_000);
  const frame = await until('a frame with objects', 10_000, () =>
    framesBy(worker, 'yard').find(({ objects }) => objects.length === 2),
  );
  // It scales nothing: boxes are in the source's pixels as they are.
  assert.deepEqual(pixels(frame.objects[1]!), { leftX: 640, topY: 128, rightX: 896, bottomY: 256 });
});

test('SIGKILL in the middle of a graph leaves nothing behind, and the next worker begins anew', async () => {
  await using folder = await temporaryFolder();
  const lowered = await lowerForStandIn(
    CAMERAS.map((id) => standInCamera(id)),
    folder.path,
  );
  await using first = await run(lowered);
  for (const id of CAMERAS) await first.phase(id, 'live', 30_000);
  const closed = Promise.all([once(first.control, 'close'), once(first.data, 'close')]);
  first.child.kill('SIGKILL');
  assert.deepEqual(await first.exited(1_000), { code: null, signal: 'SIGKILL' });
  await closed;
  await using second = await run(lowered);
  for (const id of CAMERAS) await second.phase(id, 'live', 30_000);
});

test('a stop while cameras are being reconnected ends in time', async () => {
  await using folder = await temporaryFolder();
  const dead = 'pictures=5&lives=99';
  const streams = [standInCamera('dock', dead), standInCamera('gate', dead)];
  await using worker = await run(await lowerForStandIn(streams, folder.path, IMPATIENT));
  for (const id of ['dock', 'gate']) await worker.phase(id, 'live', 30_000);
  await until('one is being reconnected', 10_000, () =>
    stats(worker).some(({ streams: s }) => (s['dock']?.framesDecoded ?? 0) > 5),
  );
  const stopped = await worker.request('stop', { drainMs: 2_000 });
  assert.ok('result' in stopped);
  assert.deepEqual(await worker.exited(3_000), { code: 0, signal: null });
});

test('a stream that was over when the worker was replaced is not run again', async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'done.mp4');
  await writeFile(path, Buffer.alloc(20));
  const done = { id: 'done', source: { type: 'file', path, pace: 'none' } };
  const lowered = await lowerForStandIn([standInCamera('dock'), done], folder.path);
  const env = { ...standInEnv(), ...lowered.environment };
  await using worker = await WorkerHarness.launch({ env });
  await worker.start(lowered.graphs, { startTimeoutMs: 60_000 }, ['done']);
  await worker.phase('dock', 'live', 30_000);
  await until('frames of the camera', 10_000, () => framesBy(worker, 'dock').length >= 20);
  assert.deepEqual(worker.phases('done'), []);
  assert.equal(framesBy(worker, 'done').length, 0);
});

test('an rtsps:// camera has a graph of its own: what happens to it is nothing to the others', async () => {
  await using folder = await temporaryFolder();
  // Nothing listens there.
  const refused = { id: 'safe', source: { type: 'rtsp', url: 'rtsps://127.0.0.1:1/main' } };
  const lowered = await lowerForStandIn([standInCamera('dock'), refused], folder.path);
  assert.deepEqual(
    lowered.graphs.map(({ streams }) => streams),
    [['dock'], ['safe']],
  );
  await using worker = await run(lowered);
  assert.equal((await worker.phase('safe', 'backoff', 30_000)).code, 'SL_SOURCE_UNREACHABLE');
  await worker.phase('dock', 'live', 30_000);
  assert.ok(!told(worker, 'dock').includes('backoff'));
});

test('Sightline’s own RTSP path feeds the GPU’s decoder, from a real camera', async () => {
  await using folder = await temporaryFolder();
  await using camera = await startCamera();
  const real = { id: 'real', source: { type: 'rtsp', url: camera.url } };
  const lowered = await lowerForStandIn([real], folder.path, {
    deepstream: { source: 'rtspsrc' },
  });
  await using worker = await run(lowered);
  await worker.phase('real', 'live', 30_000);
  const frame = await until('a frame', 10_000, () => framesBy(worker, 'real')[5]);
  assert.equal(frame.model?.backend, 'deepstream');
  assert.equal(frame.objects.length, 2);
});

test('pictures carry the names of the frames they show, stream by stream; drawn video takes none away', async () => {
  await using folder = await temporaryFolder();
  const lowered = await lowerForStandIn(
    CAMERAS.map((id) => standInCamera(id)),
    folder.path,
    {
      images: { everyMs: 400, when: 'objects', quality: 80 },
      annotated: { type: 'rtsp', port: await freePort() },
      analytics: {
        zones: [
          {
            id: 'bay',
            polygon: [
              [0.1, 0.1],
              [0.9, 0.1],
              [0.9, 0.9],
            ],
            streams: ['gate'],
          },
        ],
      },
    },
  );
  await using worker = await run(lowered);
  const pictures = () =>
    worker.records
      .filter(({ kind }) => kind === DATA_KIND_IMAGE)
      .map(({ payload }) => decodeImage(payload));
  await until('two pictures of each', 60_000, () =>
    CAMERAS.every((id) => pictures().filter(({ streamId }) => streamId === id).length >= 2),
  );
  assert.ok('result' in (await worker.request('stop', { drainMs: 3_000 })));
  const frames = framesOf(worker.records);
  const shown = new Map(frames.map((frame) => [frame.imageRef ?? '', frame]));
  for (const picture of pictures()) {
    const frame = shown.get(picture.ref);
    assert.equal(frame?.streamId, picture.streamId);
    assert.equal(frame.frameSequence, picture.frameSequence.toString());
    assert.deepEqual([...picture.data.subarray(0, 2)], [0xff, 0xd8]);
    // The size of the batch, as the muxer scaled.
    assert.deepEqual([picture.width, picture.height], [1920, 1080]);
  }
  for (const id of CAMERAS) {
    assert.deepEqual(sequences(framesBy(worker, id)), [...framesBy(worker, id).keys()]);
    assert.ok(!told(worker, id).includes('backoff'));
  }
});
