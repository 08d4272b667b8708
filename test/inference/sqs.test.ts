import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { inferApp } from '../../src/services/infer/http.ts';
import { SqsSink } from '../../src/sinks/sqs/sink.ts';
import type { SqsSinkSpec } from '../../src/sinks/sqs/spec.ts';
import { TestAws } from '../sinks/aws-proxy.ts';
import { eventRecord, NO_LIMIT, statuses, withPayload } from '../sinks/samples.ts';
import { installFixedModel } from '../support/fixed-model.ts';
import { answer, HttpReceiver } from '../support/http-receiver.ts';
import { temporaryFolder } from '../support/server.ts';
import { until } from '../support/wait.ts';
import { type ImageFacts, imageOf, jpegs } from './pictures.ts';
import { startInference } from './world.ts';

const QUEUE = 'frames';
const DEAD = 'poison';
const FIFO = 'frames.fifo';

/** A queue with its dead letters, and the receiver's sink that fills it. */
async function startQueue(context: TestContext, spec: Partial<SqsSinkSpec> = {}) {
  const aws = await TestAws.start(context);
  for (const name of [QUEUE, DEAD]) aws.server.createQueue(name);
  aws.server.createQueue(FIFO, { attributes: { FifoQueue: 'true' } });
  aws.server.createBucket('raw-data');
  const sink = new SqsSink({
    ...{ id: 'queue', type: 'sqs', required: true, queue: QUEUE, kinds: ['image'] },
    ...{ format: 'protobuf', concurrency: 4, ...aws.client, ...spec },
  });
  context.after(() => sink.close());
  let seq = 0;
  const fill = async (facts: readonly ImageFacts[]): Promise<void> => {
    const batch = facts.map((each, index) => ({ ...imageOf(each), seq: seq + index }));
    seq += batch.length;
    const results = statuses(await sink.deliver(batch, NO_LIMIT));
    assert.deepEqual(results, Array(batch.length).fill('accepted'));
  };
  const queue = { type: 'sqs', queue: QUEUE, deadLetterQueue: DEAD, ...aws.client };
  return { aws, fill, queue };
}

test('frames become results of every model that fits, and their messages are deleted', async (context) => {
  await using folder = await temporaryFolder();
  const { aws, fill, queue } = await startQueue(context, {
    claimCheck: { bucket: 'raw-data', prefix: 'claims/', aboveBytes: 0 },
  });
  await installFixedModel(folder.path, 'gates');
  const { modelsDir } = await installFixedModel(folder.path, 'all');
  const [picture] = await jpegs(1);
  const data = picture!;
  await using world = await startInference(join(folder.path, 'infer'), {
    modelsDir,
    queue: { ...queue, receivers: 1 },
    models: [
      { infer: { model: 'all' }, track: { type: 'bytetrack', minHits: 1 } },
      { infer: { model: 'gates' }, streams: ['gate-*'], track: { type: 'none' } },
    ],
    limits: { maxReceives: 1, maxPixels: 10_000 },
  });
  await fill([
    { camera: 'yard', sequence: 4, data, epoch: 7 },
    { camera: 'gate-1', sequence: 5, data },
    { camera: 'gate-1', sequence: 6, data, models: ['gates'] },
    { camera: 'yard', sequence: 1, data: Buffer.from('no picture') },
    { camera: 'yard', sequence: 2, data, models: ['missing'] },
    { camera: 'yard', sequence: 3, data: (await jpegs(1, 320, 240))[0]! },
  ]);
  await until('all messages are gone', 30_000, () => world.queue.counts.deleted === 6);
  // Behind a later one of its camera, and one that is known.
  await fill([
    { camera: 'yard', sequence: 3, data },
    { camera: 'yard', sequence: 4, data },
  ]);
  const frames = await until('all results are delivered', 30_000, async () => {
    const found = await world.frames();
    return found.length === 5 && world.queue.counts.deleted === 8 && found;
  });
  const byId = new Map(frames.map((frame) => [frame.recordId, frame]));
  assert.deepEqual([...byId.keys()].sort(), [
    'gate-1/s1/5/all',
    'gate-1/s1/5/gates',
    'gate-1/s1/6',
    'yard/s1/3',
    'yard/s1/4',
  ]);
  const frame = byId.get('yard/s1/4')!;
  assert.deepEqual(
    [frame.epoch, frame.sensorId, frame.session, frame.frameSequence, frame.timestamp],
    ['7', 'yard-sensor', 's1', '4', '2026-01-31T13:00:00.800Z'],
  );
  assert.deepEqual([frame.model?.name, frame.model?.version, frame.late], ['all', '1', undefined]);
  assert.equal(byId.get('gate-1/s1/6')!.model?.name, 'gates');
  // Unique in the session whoever tracks it: from a random place on.
  assert.ok(frame.objects.length > 0 && frame.objects.every(({ id }) => Number(id) > 2 ** 32));
  const late = byId.get('yard/s1/3')!;
  assert.equal(late.late, true);
  assert.ok(late.objects.length > 0 && late.objects.every(({ id }) => id === ''));

  const letters = aws.messages(DEAD).map(({ messageAttributes }) => {
    const attributes = messageAttributes as Record<string, { StringValue?: string }>;
    return attributes['deadLetterReason']?.StringValue ?? '';
  });
  const reasons = [/as JPEG/, /"missing"/, /320 x 240/];
  assert.equal(letters.length, reasons.length);
  for (const reason of reasons) assert.ok(letters.some((letter) => reason.test(letter)));
  const { done, duplicates, poison } = world.intake.counts;
  assert.deepEqual({ done, duplicates, poison }, { done: 4, duplicates: 1, poison: 3 });
  assert.equal(world.runners[0]!.counts.late, 1);

  const app = inferApp(world, new Map(), '1');
  context.after(() => app.close());
  const metrics = (await app.inject('/metrics')).body;
  for (const line of [
    'sightline_infer_done_total 4',
    'sightline_infer_poison_total 3',
    'sightline_infer_queue_deleted_total 8',
    'sightline_infer_model_results_total{model="gates"} 2',
    'sightline_infer_in_flight_frames 0',
    'outbox_records_accepted_total{sink="files"} 5',
  ]) {
    assert.ok(metrics.split('\n').includes(line), `${line} in ${metrics}`);
  }
  const load = await until('the queue was looked at', 10_000, world.signal);
  assert.equal(typeof load.backlogFrames, 'number');
  assert.match(metrics, /^sightline_infer_wanted_replicas \d+$/m);
  assert.equal((await app.inject('/readyz')).statusCode, 200);
});

test('a picture that kills its graph is buried alone, killed workers and a queue that is away lose nothing', async (context) => {
  await using folder = await temporaryFolder();
  const { aws, fill, queue } = await startQueue(context);
  const { modelsDir, model } = await installFixedModel(folder.path);
  await using world = await startInference(join(folder.path, 'infer'), {
    modelsDir,
    queue,
    models: [{ infer: { model } }],
  });
  const [data] = await jpegs(1);
  const frames = (from: number, count: number) =>
    Array.from({ length: count }, (_, index) => ({
      ...{ camera: `cam-${index % 3}`, sequence: from + index, data: data! },
    }));
  await fill(frames(0, 30));
  const runner = world.runners[0]!;
  const pid = await until('it works', 30_000, () => runner.counts.results > 0 && runner.pid);
  process.kill(pid, 'SIGKILL');
  await fill(frames(100, 30));
  await until('all are done', 30_000, () => world.intake.counts.done === 60);

  // It has the beginning and the end of a JPEG; the decoder finds nothing between them.
  const header = data!.subarray(0, data!.indexOf(Buffer.from([0xff, 0xda])));
  const killer = Buffer.concat([header, Buffer.from([0xff, 0xd9])]);
  await fill([...frames(200, 6), { camera: 'cam-0', sequence: 250, data: killer }]);
  await fill(frames(300, 6));
  await until('it is buried, the others are done', 30_000, () => {
    const { done, poison } = world.intake.counts;
    return done === 72 && poison === 1;
  });
  assert.equal(aws.messages(DEAD).length, 1);

  aws.rule = () => 'cut';
  await until('it notices', 30_000, () => world.queue.counts.errors > 0);
  aws.rule = () => undefined;
  await fill(frames(400, 6));
  await until('the queue is empty', 30_000, () => world.queue.counts.deleted === 79);
  const ids = await until('all results are delivered', 10_000, async () => {
    const found = new Set((await world.frames()).map(({ recordId }) => recordId));
    return found.size === 78 && found;
  });
  assert.equal(ids.has('cam-0/s1/250'), false);
  assert.ok(runner.restarts >= 1);
  assert.equal(aws.messages(QUEUE).length, 0);
});

test('results that a full outbox refuses: their messages stay, and come again when there is room', async (context) => {
  await using folder = await temporaryFolder();
  const { aws, fill, queue } = await startQueue(context);
  const { modelsDir, model } = await installFixedModel(folder.path);
  const away = await HttpReceiver.start(context);
  away.behave = answer(503);
  await using world = await startInference(join(folder.path, 'infer'), {
    modelsDir,
    queue,
    models: [{ infer: { model } }],
    outbox: { maxBytes: 1024 * 1024 },
    egress: { allow: ['127.0.0.1/32'] },
    sinks: [
      { id: 'files', type: 'file', dir: 'out', formats: ['ndjson'], kinds: ['frame'] },
      { id: 'away', type: 'webhook', url: `http://127.0.0.1:${away.port}/`, kinds: ['event'] },
    ],
  });
  const [data] = await jpegs(1);
  const count = 12;
  await fill(Array.from({ length: count }, (_, sequence) => ({ sequence, data: data! })));
  // Its worker does not go on while the outbox fills behind the frames that were taken. It may have done some before.
  const { counts } = world.intake;
  const [runner] = world.runners;
  const pid = await until('it has a worker', 30_000, () => runner!.pid);
  process.kill(pid, 'SIGSTOP');
  await until('all are taken', 30_000, () => world.intake.working.frames + counts.done === count);
  const text = Buffer.from(JSON.stringify({ type: 'test', padding: 'x'.repeat(100_000) }));
  const events = Array.from({ length: 11 }, (_, seq) => withPayload(eventRecord(seq), text));
  await world.delivery.store(events);
  await until('there is no room', 10_000, () => !world.hasRoom());
  process.kill(pid, 'SIGCONT');
  await until('all other results are refused', 30_000, () => {
    return runner!.counts.refused + counts.done >= count;
  });
  const { done } = counts;
  assert.ok(done < count && counts.postponed >= count - done, `${done} done before`);
  assert.equal(counts.poison, 0);
  await until('the others are in the queue', 10_000, () => {
    const { ready, delayed, inflight } = aws.server.inspectQueue(QUEUE)!.messages;
    return ready.length + delayed.length + inflight.length === count - done;
  });
  assert.ok((await world.frames()).length <= done);

  away.behave = answer(204);
  await until('they are done', 30_000, () => world.queue.counts.deleted === count);
  // What was done before may have been shed for the events: that is counted.
  const shed = () => world.delivery.control.figures().find(({ id }) => id === 'files')!.shed;
  const ids = await until('all results are delivered', 10_000, async () => {
    const found = (await world.frames()).map(({ recordId }) => recordId);
    return found.length + shed() === count && new Set(found);
  });
  assert.equal(ids.size + shed(), count, 'each once');
  assert.ok(shed() <= done);
  assert.deepEqual([aws.messages(QUEUE).length, aws.messages(DEAD).length], [0, 0]);
});

test('two processes share a FIFO queue: each frame once, every camera in its order', async (context) => {
  await using folder = await temporaryFolder();
  const { aws, fill, queue } = await startQueue(context, { queue: FIFO });
  const { modelsDir, model } = await installFixedModel(folder.path);
  const config = { modelsDir, queue: { ...queue, queue: FIFO }, models: [{ infer: { model } }] };
  const [data] = await jpegs(1);
  const count = 120;
  await fill(
    Array.from({ length: count }, (_, index) => ({
      ...{ camera: `cam-${index % 6}`, sequence: index, data: data! },
    })),
  );
  await using one = await startInference(join(folder.path, 'one'), config);
  await using two = await startInference(join(folder.path, 'two'), config);
  const worlds = [one, two];
  const sum = (of: (world: typeof one) => number) => of(one) + of(two);
  await until('all messages are gone', 60_000, () => sum((w) => w.queue.counts.deleted) === count);
  assert.equal(
    sum((world) => world.runners[0]!.counts.late),
    0,
  );
  assert.equal(
    sum((world) => world.intake.counts.duplicates),
    0,
  );
  const frames = await until('all results are delivered', 10_000, async () => {
    const found = await Promise.all(worlds.map((world) => world.frames()));
    return found.flat().length === count && found;
  });
  assert.equal(new Set(frames.flat().map(({ recordId }) => recordId)).size, count);
  for (const found of frames) {
    for (const camera of new Set(found.map(({ streamId }) => streamId))) {
      const own = found.filter(({ streamId }) => streamId === camera);
      const numbers = own.map(({ frameSequence }) => Number(frameSequence));
      assert.deepEqual(
        numbers,
        numbers.toSorted((a, b) => a - b),
      );
    }
  }
  assert.equal(aws.messages(FIFO).length, 0);
});
