import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { EventLog } from '../../src/control/event-log.ts';
import { IncidentStore } from '../../src/control/incidents/incident-store.ts';
import { budgetFor, exceeded } from '../../src/control/lanes/budget.ts';
import { RestartPolicy } from '../../src/control/lanes/restart-policy.ts';
import { workerSettings } from '../../src/control/lanes/settings.ts';
import { SpareWorker } from '../../src/control/lanes/spare-worker.ts';
import { StartGate } from '../../src/control/start-gate.ts';
import { until } from '../support/wait.ts';
import { compiledOf, sharedGraph, supervise } from './supervisor-support.ts';
import { fakeWorker, graphOf, memoryLogger, runs, temporaryFolder } from './support.ts';

test('the first death is answered at once, further ones wait longer, too many are a crash loop', () => {
  let nowMs = 0;
  const backoff = { baseMs: 500, capMs: 30_000, random: () => 1 };
  const rules = { ...workerSettings().restart, backoff };
  const policy = new RestartPolicy(rules, () => nowMs);
  const waits = [1, 2, 3, 4, 5].map(() => policy.died(0, true).waitMs);
  assert.deepEqual(waits, [0, 500, 1_000, 2_000, 4_000]);
  assert.deepEqual(policy.died(0, true), { waitMs: 300_000, crashLoop: true });
  nowMs += 601_000;
  assert.deepEqual(policy.died(60_000, false), { waitMs: 0, crashLoop: false });
  assert.deepEqual([policy.deaths, policy.crashes, policy.restarts], [1, 0, 7]);
  assert.equal(policy.failed().waitMs, 1_000);
});

test('a budget grows with the streams; what is given counts; what is over it is named', () => {
  assert.equal(budgetFor(2, {}).rssBytes, 2 * 1024 ** 3);
  const usage = { rssBytes: 3 * 1024 ** 3, threads: 10, fds: 400 };
  assert.match(
    exceeded(usage, {}, 1)!.message,
    /memory 3072 MiB of 1536 MiB, file descriptors 400/,
  );
  assert.equal(exceeded(usage, { rssBytes: 4 * 1024 ** 3, fds: 400 }, 1), undefined);
  assert.equal(exceeded(usage, { threads: 9 }, 100)!.code, 'SL_WORKER_BUDGET');
});

test('a lone stream that crashes its worker again and again is in a crash loop: slow retries, said once', async (t) => {
  const bench = supervise(t, compiledOf('cam', ['cam']), {
    command: fakeWorker('poison', 'cam'),
    settings: { restart: { maxDeaths: 2, crashLoopMs: 60_000, suspectDeaths: 2 } },
  });
  const told = await bench.untilTold('worker.crash_loop');
  assert.deepEqual([told['code'], told['deaths']], ['SL_WORKER_CRASH_LOOP', 3]);
  const { state, reason, retryAt } = bench.supervisor.streams.get('cam')!.status();
  assert.deepEqual([state, reason!.code], ['backoff', 'SL_WORKER_CRASH_LOOP']);
  assert.ok(Date.parse(retryAt!) > Date.now() + 50_000);
  assert.equal(bench.supervisor.views()[0]!.state, 'crash_loop');
  await bench.supervisor.apply(compiledOf('cam', [graphOf('cam', { location: 'x' })]));
  await bench.untilTold('stream.live', told.id);
});

for (const [how, graphs] of [
  ['graphs of their own', ['a', 'b', 'c', 'd']],
  ['a shared graph', [sharedGraph('yard', ['a', 'b', 'c', 'd'])]],
] as const) {
  test(`of several streams with ${how} the one that crashes the worker is found and quarantined`, async (t) => {
    const bench = supervise(t, compiledOf('yard', graphs), {
      command: fakeWorker('poison', 'c'),
      settings: { restart: { healthyMs: 600 }, quarantineMs: 60_000 },
    });
    const { supervisor, untilStates, untilTold, events } = bench;
    const told = await untilTold('stream.quarantined');
    assert.deepEqual([told.streamId, told['code']], ['c', 'SL_STREAM_QUARANTINED']);
    assert.match(String(told['message']), /SIGSEGV/);
    assert.deepEqual(told['observed'], { crashesAlone: 2 });
    await untilTold('worker.merged', told.id);
    await untilStates({ a: 'live', b: 'live', c: 'quarantined', d: 'live' });
    assert.deepEqual(
      supervisor.views().map(({ lane, streams }) => [lane, streams]),
      [['main', ['a', 'b', 'd']]],
    );
    const halves = events.recent(1_000).filter(({ type }) => type === 'worker.bisecting');
    assert.deepEqual(
      halves.map((event) => event['halves']),
      [
        [
          ['a', 'b'],
          ['c', 'd'],
        ],
        [['c'], ['d']],
      ],
    );
  });
}

test('a quarantined stream is tried again alone, and an edit brings it back', async (t) => {
  const bench = supervise(t, compiledOf('yard', ['a', 'b']), {
    command: fakeWorker('poison', 'b'),
    settings: { restart: { healthyMs: 300, suspectDeaths: 1 }, quarantineMs: 1_000 },
  });
  const first = await bench.untilTold('stream.quarantined');
  const again = await bench.untilTold('stream.quarantined', first.id);
  assert.deepEqual(again['observed'], { crashesAlone: 1 });
  const afterId = bench.events.lastId;
  await bench.supervisor.apply(compiledOf('yard', ['a', graphOf('b', { location: 'x' })]));
  const told = await bench.untilTold('stream.live', afterId);
  assert.equal(told.streamId, 'b');
});

test('a worker killed from outside is no reason to suspect its streams', async (t) => {
  const bench = supervise(t, compiledOf('yard', ['a', 'b']), {
    settings: { restart: { suspectDeaths: 1 } },
  });
  await bench.untilStates({ a: 'live', b: 'live' });
  const afterId = bench.events.lastId;
  process.kill(bench.supervisor.views()[0]!.pid!, 'SIGKILL');
  await bench.untilTold('stream.live', afterId);
  assert.ok(!bench.events.recent(1_000).some(({ type }) => type === 'worker.bisecting'));
});

test('a worker that says nothing any more is ended by SIGABRT; its frames alone are no sign of life', async (t) => {
  const bench = supervise(t, compiledOf('cam', ['cam']), {
    command: fakeWorker('mute'),
    settings: { heartbeatMs: 500 },
  });
  const exited = await bench.untilTold('worker.exited');
  assert.deepEqual([exited['code'], exited['signal']], ['SL_WORKER_HUNG', 'SIGABRT']);
  const backoff = await bench.untilTold('stream.backoff');
  assert.equal(backoff['code'], 'SL_WORKER_HUNG');
});

function openStore(t: TestContext) {
  const { logger } = memoryLogger();
  const store = new IncidentStore({ dataDir: temporaryFolder(t), events: new EventLog(), logger });
  store.open();
  return store;
}

test('a worker over its budget goes on record and is replaced, and not again soon', async (t) => {
  const incidents = openStore(t);
  const bench = supervise(t, compiledOf('cam', ['cam']), {
    ...{ command: fakeWorker('fat'), incidents },
  });
  await bench.untilStates({ cam: 'live' });
  const pid = bench.supervisor.views()[0]!.pid!;
  await bench.untilTold('worker.recycled');
  await until('the incident', 5_000, () => incidents.list('cam').length > 0);
  const [view] = incidents.list('cam');
  assert.deepEqual([view!.kind, view!.pid], ['over-budget', pid]);
  // Drawn by the worker, which answers.
  assert.match(await incidents.read('cam', 1, 'graph.dot'), /^digraph "" \{\}/);
  const fresh = bench.supervisor.views()[0]!;
  assert.notEqual(fresh.pid, pid);
  const { counters } = bench.supervisor.streams.get('cam')!.status();
  await until('reports of the fresh one', 5_000, () => {
    const now = bench.supervisor.streams.get('cam')!.status().counters;
    return now.framesDecoded > counters.framesDecoded + 100;
  });
  assert.deepEqual(bench.supervisor.views()[0]!.pid, fresh.pid);
  assert.equal(incidents.count('cam'), 1);
});

test('a spare worker waits, is taken by the next that needs one, is followed by another, and is ended', async (t) => {
  const command = fakeWorker('good');
  const { logger } = memoryLogger();
  const spare = new SpareWorker({ command, gate: new StartGate(), logger, calmMs: 0 });
  t.after(() => spare.close());
  const bench = supervise(t, compiledOf('yard', ['a']), { command, spare });
  await bench.untilStates({ a: 'live' });
  const waiting = await until('a spare', 5_000, () => spare.pid);
  const afterId = bench.events.lastId;
  process.kill(bench.supervisor.views()[0]!.pid!, 'SIGKILL');
  await bench.untilTold('stream.live', afterId);
  assert.equal(bench.supervisor.views()[0]!.pid, waiting);
  const next = await until('the next spare', 5_000, () => spare.pid);
  assert.deepEqual(spare.stats, { started: 2, used: 1, lost: 0 });
  process.kill(next, 'SIGSTOP');
  const later = bench.events.lastId;
  process.kill(waiting, 'SIGKILL');
  await bench.untilTold('stream.live', later);
  assert.equal(spare.stats.lost, 1, 'one that does not answer is not used');
  const last = await until('a third', 5_000, () => spare.pid);
  await spare.close();
  assert.deepEqual([runs(last), runs(next)], [false, false]);
});
