import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StatsEvent } from '../../src/worker/protocol.ts';
import { graph, node, output } from '../gst/graphs.ts';
import { until } from '../support/wait.ts';
import { WorkerHarness } from './worker-harness.ts';

/** Pictures that are stamped and counted; after `pictures` of them the source is over and a new session begins. */
function counted(id: string, pictures: number) {
  const source = { 'is-live': true, 'num-buffers': pictures };
  return graph(
    id,
    [
      node('source', 'videotestsrc', 'source', source),
      node('decoded', 'slstamp', 'stamp', { stage: 'decode' }),
      node('meta', 'slmeta', 'metadata', { 'stream-id': id }),
      output('out'),
    ],
    {
      links: [
        {
          from: 'source',
          to: 'decoded',
          caps: 'video/x-raw,format=I420,width=64,height=48,framerate=50/1',
        },
        { from: 'decoded', to: 'meta' },
        { from: 'meta', to: 'out' },
      ],
      sessionNodes: ['meta'],
    },
  );
}

const stats = (worker: WorkerHarness) =>
  worker.events.filter((event): event is StatsEvent => event.event === 'stats');

test('a change is in force at once, counted, and outlives the session', async () => {
  await using worker = await WorkerHarness.launch();
  await worker.start([counted('cam', 100)]);
  await worker.phase('cam', 'live');
  const changes = [{ node: 'decoded', property: 'drop-interval', value: 5 }];
  const reply = await worker.request('set', { graphId: 'cam', changes });
  assert.deepEqual(reply, { id: 2, result: { applied: [true] } });
  await until('a second session', 15_000, () => {
    return worker.phases('cam').filter(({ phase }) => phase === 'live').length >= 2;
  });
  await until('a third session', 15_000, () => {
    return worker.phases('cam').filter(({ phase }) => phase === 'live').length >= 3;
  });
  // The second session's 100 pictures all fell under the change.
  const report = await until('their report', 5_000, () =>
    stats(worker).find(({ streams }) => streams['cam']!.framesDecoded >= 200),
  );
  const { framesDecoded, framesPublished, framesSkipped } = report.streams['cam']!;
  assert.ok(framesPublished <= framesDecoded - 80, JSON.stringify(report.streams));
  // Gaps are seen at the frame that follows them: at most the last few of each session are not.
  assert.ok(framesPublished + framesSkipped >= framesDecoded - 15, JSON.stringify(report.streams));
});

test('a change between sessions waits for the next one', async () => {
  await using worker = await WorkerHarness.launch();
  await worker.start([counted('cam', 5)], { backoffBaseMs: 3_000, backoffCapMs: 3_000 });
  await worker.phase('cam', 'backoff');
  await until('the records of the first session', 5_000, () => worker.records.length === 5);
  const changes = [{ node: 'decoded', property: 'drop-interval', value: 1000 }];
  const reply = await worker.request('set', { graphId: 'cam', changes });
  assert.ok('result' in reply);
  const before = worker.records.length;
  await until('the next session is over', 15_000, () => {
    return worker.phases('cam').filter(({ phase }) => phase === 'backoff').length >= 2;
  });
  await until('its one record', 5_000, () => worker.records.length > before);
  assert.equal(worker.records.length, before + 1);
});

test('what is refused changes nothing, now or later', async () => {
  await using worker = await WorkerHarness.launch();
  await worker.start([counted('cam', 20)]);
  await worker.phase('cam', 'live');
  const set = async (
    graphId: string,
    property: string,
    value: string | number,
    name = 'decoded',
  ) => {
    const changes = [
      { node: 'decoded', property: 'drop-interval', value: 1000 },
      { node: name, property, value },
    ];
    const reply = await worker.request('set', { graphId, changes });
    assert.ok('error' in reply, JSON.stringify(reply));
    return reply.error;
  };
  assert.equal((await set('other', 'stage', 'decode')).code, 'SL_NOT_FOUND');
  assert.equal((await set('cam', 'stage', 'decode', 'nobody')).code, 'SL_NOT_FOUND');
  const refused = await set('cam', 'no-such', 1);
  assert.equal(refused.code, 'SL_SPEC_INVALID');
  assert.match(refused.message, /"decoded" \(slstamp\).*"no-such"/);
  await until('three sessions of 20 records', 20_000, () => worker.records.length >= 60);
});
