import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EXIT_CODES, type StatsEvent } from '../../src/worker/protocol.ts';
import { graph, node, output, pictures } from '../gst/graphs.ts';
import { until } from '../support/wait.ts';
import { WorkerHarness } from './worker-harness.ts';

const LIVE = { 'is-live': true };

function stats(worker: WorkerHarness): readonly StatsEvent[] {
  return worker.events.filter((event): event is StatsEvent => event.event === 'stats');
}

function told(worker: WorkerHarness, id: string): readonly string[] {
  return worker.phases(id).map(({ phase }) => phase);
}

function errorOf(reply: object): { code: string; message: string } {
  assert.ok('error' in reply, JSON.stringify(reply));
  return reply.error as { code: string; message: string };
}

test('graphs are added beside running ones and drained one by one, without a trace', async () => {
  await using worker = await WorkerHarness.launch();
  await worker.start([pictures('first', LIVE)]);
  await worker.phase('first', 'live');
  const before = await until('a report', 5_000, () => stats(worker).at(-1));

  assert.ok('result' in (await worker.request('add', { graphs: [pictures('more', LIVE)] })));
  await worker.phase('more', 'live');
  const twice = await worker.request('add', { graphs: [pictures('more', LIVE)] });
  assert.equal(errorOf(twice).code, 'SL_CONFLICT');

  const recordsBefore = worker.records.length;
  const removed = await worker.request('remove', { graphId: 'more', drainMs: 2_000 });
  assert.deepEqual('result' in removed && removed.result, { drained: true });
  assert.deepEqual(told(worker, 'more'), ['connecting', 'live', 'stopped']);
  // Its last numbers are told before it is forgotten.
  assert.ok(stats(worker).at(-1)!.streams['more']!.framesPublished > 0);
  const again = await worker.request('remove', { graphId: 'more', drainMs: 100 });
  assert.equal(errorOf(again).code, 'SL_NOT_FOUND');
  const reports = stats(worker).length;
  const after = await until('a later report', 5_000, () => stats(worker)[reports + 1]);
  assert.deepEqual(Object.keys(after.streams), ['first']);
  assert.equal(after.fds, before.fds);
  // GLib keeps two idle threads for a while.
  assert.ok(after.threads <= before.threads + 2, `${before.threads} and ${after.threads} threads`);
  assert.ok(worker.records.length > recordsBefore);
  // The other one was left alone.
  assert.deepEqual(told(worker, 'first'), ['connecting', 'live']);
});

test('a worker without a graph stays and takes new ones; one whose streams all end leaves', async () => {
  await using worker = await WorkerHarness.launch();
  await worker.start([pictures('first', LIVE)]);
  await worker.phase('first', 'live');
  await worker.request('remove', { graphId: 'first', drainMs: 1_000 });
  const reports = stats(worker).length;
  await until('two reports of nothing', 5_000, () => stats(worker).length >= reports + 2);
  assert.deepEqual(stats(worker).at(-1)!.streams, {});

  const file = graph('file', [
    node('source', 'filesrc', 'source', { location: import.meta.filename }),
    output('out'),
  ]);
  await worker.request('add', { graphs: [file, pictures('first', LIVE)] });
  await worker.phase('file', 'ended');
  await until('the namesake is live', 5_000, () => told(worker, 'first').at(-1) === 'live');
  await worker.request('remove', { graphId: 'file', drainMs: 0 });
  await worker.request('remove', { graphId: 'first', drainMs: 0 });
  await worker.request('add', { graphs: [file] });
  assert.deepEqual(await worker.exited(5_000), { code: EXIT_CODES.ended, signal: null });
});

test('a graph is removed while it waits for its next try, and while it has no picture yet', async () => {
  const silent = graph('silent', [node('source', 'appsrc', 'source'), output('out')]);
  await using worker = await WorkerHarness.launch();
  const short = pictures('short', { ...LIVE, 'num-buffers': 2 });
  await worker.start([silent, short], { backoffBaseMs: 600_000, backoffCapMs: 600_000 });
  await worker.phase('short', 'backoff');
  for (const graphId of ['short', 'silent']) {
    const removed = await worker.request('remove', { graphId, drainMs: 2_000 });
    assert.deepEqual('result' in removed && removed.result, { drained: true });
    assert.equal(told(worker, graphId).at(-1), 'stopped');
  }
});

test('a graph is replaced without a gap, beside one that is left alone', async () => {
  await using worker = await WorkerHarness.launch();
  await worker.start([pictures('cam', LIVE), pictures('other', LIVE)]);
  const { session: first } = await worker.phase('cam', 'live');
  await worker.phase('other', 'live');
  const replaced = await worker.request('replace', {
    graph: pictures('cam', { ...LIVE, pattern: 'ball' }),
    drainMs: 2_000,
    timeoutMs: 5_000,
  });
  assert.ok('result' in replaced, JSON.stringify(replaced));
  // One phase all the time: only the session is another one.
  assert.deepEqual(told(worker, 'cam'), ['connecting', 'live', 'live']);
  const second = worker.phases('cam').at(-1)!.session;
  assert.ok(second !== undefined && second !== first);
  assert.deepEqual(told(worker, 'other'), ['connecting', 'live']);
  // What is changed and what is built next is the new graph.
  const changes = [{ node: 'source', property: 'pattern', value: 'snow' }];
  const set = await worker.request('set', { graphId: 'cam', changes });
  assert.deepEqual('result' in set && set.result, { applied: [true] });

  const stopped = await worker.request('stop', { drainMs: 2_000 });
  assert.deepEqual('result' in stopped && stopped.result, { drained: true });
  await worker.exited(3_000);
  // Every picture of both sessions was counted and written.
  const { cam, other } = stats(worker).at(-1)!.streams;
  assert.equal(worker.records.length, cam!.framesPublished + other!.framesPublished);
});

test('a replacement without a picture, or that cannot be built, leaves the old graph as it was', async () => {
  await using worker = await WorkerHarness.launch();
  await worker.start([pictures('cam', LIVE)]);
  const { session } = await worker.phase('cam', 'live');
  const limits = { drainMs: 1_000, timeoutMs: 500 };
  const silent = graph('cam', [node('source', 'appsrc', 'source'), output('out')]);
  const late = await worker.request('replace', { graph: silent, ...limits });
  assert.equal(errorOf(late).code, 'SL_TIMEOUT');
  const bad = pictures('cam', { pattern: 'none such' });
  const refused = await worker.request('replace', { graph: bad, ...limits });
  assert.equal(errorOf(refused).code, 'SL_SPEC_INVALID');
  const unknown = await worker.request('replace', { graph: pictures('who', LIVE), ...limits });
  assert.equal(errorOf(unknown).code, 'SL_NOT_FOUND');

  const records = worker.records.length;
  await until('its pictures go on', 5_000, () => worker.records.length > records + 5);
  assert.deepEqual(told(worker, 'cam'), ['connecting', 'live']);
  assert.equal(worker.phases('cam').at(-1)!.session, session);
});

test('a stop during a replacement ends both', async () => {
  await using worker = await WorkerHarness.launch();
  await worker.start([pictures('cam', LIVE)]);
  await worker.phase('cam', 'live');
  const silent = graph('cam', [node('source', 'appsrc', 'source'), output('out')]);
  const limits = { drainMs: 1_000, timeoutMs: 60_000 };
  const replacing = worker.request('replace', { graph: silent, ...limits });
  const removed = await worker.request('remove', { graphId: 'cam', drainMs: 2_000 });
  assert.deepEqual('result' in removed && removed.result, { drained: true });
  assert.equal(errorOf(await replacing).code, 'SL_CLOSED');
  assert.equal(told(worker, 'cam').at(-1), 'stopped');
});
