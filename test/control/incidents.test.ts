import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { EventLog } from '../../src/control/event-log.ts';
import { coreHint } from '../../src/control/incidents/core-hint.ts';
import {
  type IncidentBounds,
  type IncidentHead,
  IncidentStore,
} from '../../src/control/incidents/incident-store.ts';
import { workerCommand } from '../../src/control/worker-command.ts';
import { until } from '../support/wait.ts';
import { cameraGraph, testPictureGraph } from './real-graphs.ts';
import { compiledOf, supervise } from './supervisor-support.ts';
import { fakeWorker, memoryLogger, runs, specOf, temporaryFolder } from './support.ts';

function openStore(
  t: TestContext,
  { dataDir = temporaryFolder(t), bounds = {} as Partial<IncidentBounds> } = {},
) {
  const events = new EventLog();
  const store = new IncidentStore({ dataDir, events, bounds, logger: memoryLogger().logger });
  store.open();
  return { store, events, dataDir };
}

const head = (pipelineId: string, second = 0): IncidentHead => ({
  ...{ pipelineId, kind: 'died', code: 'SL_WORKER_DIED', message: 'killed', pid: 7, streams: [] },
  at: new Date(second * 1_000).toISOString(),
});

const texts = (text: string) => Promise.resolve({ 'graph.dot': text });

test('an incident is kept whole, for its owner alone, also over a restart; its number is never used again', async (t) => {
  const { store, events, dataDir } = openStore(t, { bounds: { perPipeline: 1 } });
  await store.record(head('yard'), texts('digraph {}'));
  await store.record(head('yard', 1), texts('digraph { a }'));
  const [view, ...others] = store.list('yard');
  assert.deepEqual([view!.n, view!.files, others], [2, [{ name: 'graph.dot', bytes: 13 }], []]);
  assert.equal(await store.read('yard', 2, 'graph.dot'), 'digraph { a }');
  assert.deepEqual(store.stats, { recorded: 2, forgotten: 1, failed: 0 });
  const told = events.recent().filter(({ type }) => type === 'incident.recorded');
  assert.deepEqual(
    told.map(({ n, kind }) => [n, kind]),
    [
      [1, 'died'],
      [2, 'died'],
    ],
  );
  const folder = join(dataDir, 'incidents', 'yard', '2');
  assert.deepEqual(
    [statSync(folder).mode & 0o777, statSync(join(folder, 'graph.dot')).mode & 0o777],
    [0o700, 0o600],
  );
  const again = openStore(t, { dataDir }).store;
  assert.deepEqual(again.list('yard'), [view]);
  await again.record(head('yard', 2), texts('x'));
  assert.equal(again.list('yard')[0]!.n, 3);
});

test('only what was written can be read', async (t) => {
  const { store } = openStore(t);
  await store.record(head('yard'), texts('x'));
  assert.throws(() => store.get('yard', 2), { code: 'SL_NOT_FOUND' });
  assert.throws(() => store.get('other', 1), { code: 'SL_NOT_FOUND' });
  for (const name of ['../1/graph.dot', 'next', 'incident.json', 'toString']) {
    await assert.rejects(store.read('yard', 1, name), { code: 'SL_NOT_FOUND' });
  }
});

test('beyond the bounds the oldest go first, over all pipelines, and are counted', async (t) => {
  const { store } = openStore(t, { bounds: { totalBytes: 250 } });
  await store.record(head('b', 2), texts('x'.repeat(100)));
  await store.record(head('a', 1), texts('x'.repeat(100)));
  await store.record(head('b', 3), texts('x'.repeat(100)));
  assert.deepEqual([store.list('a'), store.list('b').map(({ n }) => n)], [[], [2, 1]]);
  assert.equal(store.stats.forgotten, 1);
});

test('what cannot be written is counted, and told in the log', async (t) => {
  const { store } = openStore(t);
  await store.record(head('../escape'), texts('x'));
  await store.record(head('yard'), Promise.reject(new Error('no drawing')));
  assert.deepEqual(store.stats, { recorded: 0, forgotten: 0, failed: 2 });
  assert.deepEqual([store.list('../escape'), store.list('yard')], [[], []]);
});

test('the hint at a core dump follows the settings of the machine', () => {
  const hint = (pattern: string, limit: string) => coreHint({ pattern, limit }, 42);
  assert.match(hint('|/usr/lib/systemd/systemd-coredump %P', '0')!, /^coredumpctl info 42$/);
  assert.match(hint('core.%p', '0')!, /limit is 0.*LimitCORE=infinity.*core\.%p/);
  assert.match(hint('/var/cores/%p', 'unlimited')!, /written to \/var\/cores\/%p \(%p is 42\)/);
  assert.match(hint('|/usr/share/apport/apport %p', 'unlimited')!, /go to \/usr\/share\/apport/);
  assert.equal(coreHint(undefined, 42), undefined);
});

test('the death of a real worker is kept with its last lines, and a password in the URL nowhere', async (t) => {
  const password = 'c4n4ry p@ss:w/"ö%1';
  const encoded = encodeURIComponent(password);
  const location = `rtsp://admin:${encoded}@127.0.0.1:9/live`;
  const { store, dataDir } = openStore(t);
  const compiled = compiledOf('yard', [cameraGraph('cam', location), testPictureGraph('pictures')]);
  const bench = supervise(
    t,
    {
      ...compiled,
      streams: compiled.streams.map((one) => ({
        ...one,
        spec: specOf(one.id, { source: { url: location, password } }),
      })),
    },
    { command: workerCommand(), incidents: store },
  );
  await bench.untilStates({ cam: 'backoff', pictures: 'live' }, 20_000);
  process.kill(bench.supervisor.views()[0]!.pid!, 'SIGSEGV');
  const view = await until('an incident', 10_000, () => store.list('yard')[0]);
  assert.deepEqual(
    [view.kind, view.code, view.signal, view.streams],
    ['died', 'SL_WORKER_DIED', 'SIGSEGV', ['cam', 'pictures']],
  );
  assert.ok(view.coreHint);
  const read = (name: string) => store.read('yard', view.n, name);
  assert.match(await read('bus.log'), /^\d{4}-.*Z .*playing/m);
  assert.match(await read('gst.log'), /rtspsrc/);
  assert.match(await read('worker.log'), /request start/);
  assert.match(await read('graph.dot'), /^digraph/);
  assert.match(await read('spec.json'), /rtsp:\/\/\*\*\*@127/);
  assert.equal(JSON.parse(await read('counters.json')).pictures.counters.workerRestarts, 0);
  assert.ok(JSON.parse(await read('events.json')).length > 4);
  const folder = join(dataDir, 'incidents');
  const everything = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n');
  for (const secret of [
    password,
    encoded,
    encoded.toLowerCase(),
    JSON.stringify(password).slice(1, -1),
    'c4n4ry',
  ]) {
    assert.ok(!everything.includes(secret), secret);
  }
});

test('a stopped worker (SIGSTOP) is found by its silence, ended and put on record as hung', async (t) => {
  const { store } = openStore(t);
  const bench = supervise(t, compiledOf('yard', [testPictureGraph('cam')]), {
    ...{ command: workerCommand(), incidents: store },
    settings: { heartbeatMs: 2_500, abortMs: 300 },
  });
  await bench.untilStates({ cam: 'live' }, 20_000);
  const pid = bench.supervisor.views()[0]!.pid!;
  const afterId = bench.events.lastId;
  process.kill(pid, 'SIGSTOP');
  const exited = await bench.untilTold('worker.exited', afterId);
  assert.deepEqual([exited['code'], exited['signal']], ['SL_WORKER_HUNG', 'SIGKILL']);
  await bench.untilTold('stream.live', afterId);
  assert.equal(runs(pid), false);
  const [view] = store.list('yard');
  assert.deepEqual([view!.kind, view!.code, view!.pid], ['hung', 'SL_WORKER_HUNG', pid]);
  assert.match(await store.read('yard', view!.n, 'worker.log'), /stream cam live/);
});

test('a worker that never was ready is on record with its last words; a start that was called off is not', async (t) => {
  const { store } = openStore(t);
  supervise(t, compiledOf('yard', ['a']), {
    ...{ command: fakeWorker('exit', '3'), incidents: store },
  });
  const view = await until('an incident', 5_000, () => store.list('yard')[0]);
  assert.deepEqual([view.kind, view.exitCode], ['not-ready', 3]);
  assert.match(await store.read('yard', view.n, 'stderr.txt'), /first words\nlast words/);
  const silent = supervise(t, compiledOf('other', ['a']), {
    ...{ command: fakeWorker('silent'), incidents: store },
  });
  await silent.untilTold('worker.starting');
  await silent.supervisor.close({ drainMs: 0 });
  assert.deepEqual(store.list('other'), []);
});
