import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { SightlineError } from '../../src/common/errors.ts';
import { Autoscale } from '../../src/inference/autoscale.ts';
import { FrameJob } from '../../src/inference/frame-job.ts';
import { inspectJpeg } from '../../src/inference/jpeg.ts';
import { PoisonFolder } from '../../src/inference/poison-folder.ts';
import { readQueuedFrame } from '../../src/inference/queued-frame.ts';
import { Routes } from '../../src/inference/routes.ts';
import { StreamFeed } from '../../src/inference/stream-feed.ts';
import { temporaryFolder } from '../support/server.ts';
import { imageOf, jpegs } from './pictures.ts';

const LIMITS = { maxPixels: 10_000 };
const isInvalid = (error: unknown) =>
  error instanceof SightlineError && error.code === 'SL_MESSAGE_INVALID';

test('a picture is known by its frame header, and bytes that are none are refused', async () => {
  const [picture] = await jpegs(1, 96, 80);
  assert.deepEqual(inspectJpeg(picture!), { width: 96, height: 80 });
  assert.deepEqual(inspectJpeg(Buffer.concat([picture!, Buffer.alloc(7)])), {
    width: 96,
    height: 80,
  });
  const broken = [
    Buffer.alloc(0),
    Buffer.from('GIF89a'),
    picture!.subarray(0, picture!.length - 2),
    picture!.subarray(0, 40),
    Buffer.from([0xff, 0xd8, 0xff, 0xd9]),
    Buffer.concat([picture!.subarray(0, 2), Buffer.from([0, 0]), picture!.subarray(2)]),
  ];
  for (const bytes of broken) assert.throws(() => inspectJpeg(bytes), isInvalid);
  // Whatever stands in it, it ends, and says one of both.
  for (let at = 0; at < Math.min(700, picture!.length); at += 1) {
    const bytes = Buffer.from(picture!);
    bytes[at] = bytes[at]! ^ 0xff;
    try {
      inspectJpeg(bytes);
    } catch (error) {
      assert.ok(isInvalid(error));
    }
  }
});

test('a frame of a queue must name itself and have a picture of a size that is allowed', async () => {
  const [picture, large] = [(await jpegs(1))[0]!, (await jpegs(1, 320, 240))[0]!];
  const frame = readQueuedFrame(imageOf({ sequence: 7, data: picture }).payload, LIMITS);
  assert.equal(frame.frameId, 'cam-1/s1/7');
  assert.equal(frame.sensorId, 'cam-1-sensor');
  const wrong = [
    imageOf({ sequence: 1, data: large }),
    imageOf({ sequence: 1, data: picture, camera: '../etc' }),
    imageOf({ sequence: 1, data: picture, session: '' }),
    imageOf({ sequence: 1, data: Buffer.from('no picture') }),
    { payload: Buffer.from([0xff, 0xff, 0xff]) },
  ];
  for (const { payload } of wrong) {
    assert.throws(() => readQueuedFrame(payload, LIMITS), isInvalid);
  }
});

test('a frame goes to the models it names, else to all whose streams and sensors fit', () => {
  const routes = new Routes([
    { model: 'all' },
    { model: 'gates', streams: ['gate-*', 'door'] },
    { model: 'north', sensors: ['*north*'] },
  ]);
  const to = (streamId: string, sensorId = '', models: string[] = []) =>
    routes.modelsFor({ streamId, sensorId, models });
  assert.deepEqual(to('yard'), ['all']);
  assert.deepEqual(to('gate-1', 'x-north-2'), ['all', 'gates', 'north']);
  assert.deepEqual(to('gate-1', '', ['north', 'north']), ['north']);
  assert.throws(() => to('yard', '', ['nroth']), /not served here.*north/);
  assert.throws(
    () =>
      new Routes([{ model: 'a', streams: ['b'] }]).modelsFor({
        streamId: 'c',
        sensorId: '',
        models: [],
      }),
    isInvalid,
  );
});

test('frames of a camera are put in order as far as they wait, and late ones are told', async () => {
  const [picture] = await jpegs(1);
  const feed = new StreamFeed('cam-1');
  const sent: { late: boolean }[] = [];
  feed.connect({ send: (frame) => sent.push(frame) });
  const add = (sequence: number, session = 's1') => {
    const { payload } = imageOf({ sequence, session, data: picture! });
    const frame = readQueuedFrame(payload, LIMITS);
    const delivery = {} as ConstructorParameters<typeof FrameJob>[2];
    const job = new FrameJob(frame, ['m'], delivery, () => undefined);
    feed.add({ job, recordId: frame.frameId, failures: 0, suspect: false, sentMs: 0 });
  };
  const next = () => {
    const id = feed.next?.recordId;
    return [id, feed.send('m')];
  };
  for (const sequence of [3, 1, 2]) add(sequence);
  assert.deepEqual(
    [next(), next(), next()],
    [
      ['cam-1/s1/1', false],
      ['cam-1/s1/2', false],
      ['cam-1/s1/3', false],
    ],
  );
  add(2);
  assert.deepEqual(next(), ['cam-1/s1/2', true]);
  // Another run of the camera, which counts from the start; then a straggler of the one before.
  add(9, 's2');
  assert.deepEqual(next(), ['cam-1/s2/9', false]);
  add(4);
  assert.deepEqual(next(), ['cam-1/s1/4', true]);
  assert.deepEqual(
    sent.map(({ late }) => late),
    [false, false, false, true, false, true],
  );
  // What was in a graph that failed comes first.
  add(10, 's2');
  assert.equal(feed.disconnect().length, 5);
  assert.equal(feed.next?.recordId, 'cam-1/s1/1');
});

test('as many processes are wanted as work the backlog off in time', () => {
  const scale = new Autoscale({ targetS: 10, maxReplicas: 5 });
  const look = (
    backlogFrames: number | undefined,
    doneFrames: number,
    busyMs: number,
    atMs: number,
  ) => scale.look({ backlogFrames, doneFrames, busyMs, inFlightFrames: 1, oldestAgeMs: 2 }, atMs);
  assert.equal(look(100, 0, 0, 0).wantedReplicas, 1, 'nothing is known of the speed yet');
  // 20 frames in 2 s of work, within 4 s.
  const { framesPerSecond, capacityPerSecond, wantedReplicas } = look(250, 20, 2000, 4000);
  assert.deepEqual([framesPerSecond, capacityPerSecond, wantedReplicas], [5, 10, 3]);
  assert.equal(look(10_000, 20, 2000, 8000).wantedReplicas, 5);
  assert.equal(look(0, 20, 2000, 9000).wantedReplicas, 0);
  assert.equal(look(undefined, 20, 2000, 9000).wantedReplicas, undefined);
});

test('dead letters of queues without a place for them are kept, the newest within a bound', async () => {
  await using folder = await temporaryFolder();
  const poison = new PoisonFolder(folder.path, 2500);
  for (const second of [1, 2, 3]) {
    const at = new Date(Date.UTC(2026, 0, 1, 0, 0, second));
    await poison.keep({ id: `../${second}`, reason: 'bad', at, bytes: Buffer.alloc(1000, second) });
  }
  const names = (await readdir(folder.path)).filter((name) => name.endsWith('.bin')).sort();
  assert.equal(names.length, 2);
  assert.deepEqual(await readFile(join(folder.path, names[1]!)), Buffer.alloc(1000, 3));
  assert.equal(poison.dropped, 1);
});
