import assert from 'node:assert/strict';
import { test } from 'node:test';
import { effectsOf, planGraphs } from '../../src/control/lanes/graph-plan.ts';
import { workerCommand } from '../../src/control/worker-command.ts';
import type { Graph, GraphNode } from '../../src/pipeline/graph.ts';
import { until } from '../support/wait.ts';
import { testPictureGraph } from './real-graphs.ts';
import { compiledOf, sharedGraph, supervise, watching } from './supervisor-support.ts';
import { fakeWorker, graphOf, runs } from './support.ts';

const infer = (properties: GraphNode['properties']): Graph => ({
  ...graphOf('cam'),
  nodes: [{ id: 'infer', factory: 'slinfer', role: 'infer', properties }],
});

test('the plan: what equals stays, what a running element takes is set, anything else is replaced', () => {
  const was = compiledOf('yard', [
    'same',
    infer({ interval: 1, 'batch-size': 1 }),
    'gone',
    'other',
  ]);
  const next = compiledOf('yard', [
    'same',
    infer({ interval: 4, 'batch-size': 1 }),
    graphOf('other', { location: 'elsewhere' }),
    'new',
  ]);
  const plan = planGraphs(was.graphs, was, next);
  assert.equal(plan.how, 'in-place');
  assert.deepEqual(
    plan.steps.map(({ kind, graph }) => [kind, graph.id]),
    [
      ['remove', 'gone'],
      ['unchanged', 'same'],
      ['set', 'cam'],
      ['replace', 'other'],
      ['add', 'new'],
    ],
  );
  const set = plan.steps.find((step) => step.kind === 'set');
  assert.deepEqual(set?.changes, [{ node: 'infer', property: 'interval', value: 4 }]);
  const back = planGraphs(
    [infer({ interval: 4, 'batch-size': 1 })],
    compiledOf('yard', []),
    compiledOf('yard', [infer({ 'batch-size': 1 })]),
  );
  assert.equal(back.steps[0]!.kind, 'replace', 'no running element knows its own default');
});

test('the plan: a shared graph, a moved stream, another environment need a fresh worker', () => {
  const shared = (more: GraphNode['properties']) =>
    compiledOf('yard', [sharedGraph('yard', ['a', 'b'], more)]);
  const three = compiledOf('yard', [sharedGraph('yard', ['a', 'b', 'c'])]);
  const plan = planGraphs(shared({}).graphs, shared({}), three);
  assert.equal(plan.how, 'hand-over');
  assert.deepEqual(
    [...effectsOf(plan)],
    [
      ['a', 'handed-over'],
      ['b', 'handed-over'],
      ['c', 'added'],
    ],
  );
  const how = (a: typeof three, b: typeof three) => planGraphs(a.graphs, a, b).how;
  assert.equal(how(shared({}), shared({ location: 'x' })), 'hand-over');
  assert.equal(how(shared({}), shared({})), 'in-place');
  assert.equal(
    how(compiledOf('yard', ['a']), compiledOf('yard', [sharedGraph('b', ['a'])])),
    'hand-over',
  );
  const environment = { USE_NEW_NVSTREAMMUX: 'yes' };
  assert.equal(
    how(compiledOf('y', ['a']), { ...compiledOf('y', ['a']), environment }),
    'hand-over',
  );
});

test('streams come, go and change in the worker that runs; the others are not disturbed', async (t) => {
  const bench = supervise(t, compiledOf('yard', ['a', 'b', 'c']));
  const { supervisor, events, records, untilStates } = bench;
  await untilStates({ a: 'live', b: 'live', c: 'live' });
  const pid = supervisor.views()[0]!.pid!;
  const afterId = events.lastId;
  const report = await supervisor.apply(
    compiledOf('yard', ['a', graphOf('b', { location: 'rtsp://u:s3cr3t-word@h/2' }), 'd']),
  );
  assert.deepEqual(report, [
    { streamId: 'a', effect: 'unchanged' },
    { streamId: 'b', effect: 'replaced' },
    { streamId: 'd', effect: 'added' },
    { streamId: 'c', effect: 'removed' },
  ]);
  await untilStates({ a: 'live', b: 'live', d: 'live' });
  assert.deepEqual([...supervisor.streams.keys()], ['a', 'b', 'd']);
  assert.deepEqual(
    supervisor.views().map((view) => [view.pid, view.streams]),
    [[pid, ['a', 'b', 'd']]],
  );
  const told = events.recent(1_000).filter(({ id }) => id > afterId);
  assert.deepEqual(
    told.filter(({ streamId }) => streamId === 'a').map(({ type }) => type),
    [],
  );
  assert.deepEqual(
    told.filter(({ streamId }) => streamId === 'c').map(({ type }) => type),
    ['stream.draining', 'stream.stopped'],
  );
  const count = records.length;
  await until('more frames', 3_000, () => records.length > count + 5);
  assert.ok(!records.slice(count).some(({ streamId }) => streamId === 'c'));
});

test('a stream that is switched off loses its graph and says so; switched on again it is live', async (t) => {
  const { supervisor, untilStates } = supervise(t, compiledOf('yard', ['a', 'b']));
  await untilStates({ a: 'live', b: 'live' });
  const both = compiledOf('yard', ['a', 'b']);
  const report = await supervisor.apply({ ...compiledOf('yard', ['a']), streams: both.streams });
  assert.deepEqual(report[1], { streamId: 'b', effect: 'disabled' });
  const { state, reason } = supervisor.streams.get('b')!.status();
  assert.deepEqual([state, reason?.code], ['disabled', 'SL_STREAM_DISABLED']);
  assert.deepEqual((await supervisor.apply(both))[1], { streamId: 'b', effect: 'added' });
  await untilStates({ a: 'live', b: 'live' });
});

test('a pipeline that loses all its streams has no worker, and gets one with the next', async (t) => {
  const { supervisor, untilStates } = supervise(t, compiledOf('yard', ['a']));
  await untilStates({ a: 'live' });
  const pid = supervisor.views()[0]!.pid!;
  await supervisor.apply(compiledOf('yard', []));
  assert.deepEqual([supervisor.views(), supervisor.streams.size, runs(pid)], [[], 0, false]);
  await supervisor.apply(compiledOf('yard', ['b']));
  await untilStates({ b: 'live' });
});

test('what a worker refuses is thrown, and what ran before is what its successor gets', async (t) => {
  const bench = supervise(t, compiledOf('yard', ['a']), {
    command: fakeWorker('refuse-change', 'a'),
  });
  const { supervisor, untilStates, untilTold, events } = bench;
  await untilStates({ a: 'live' });
  const change = supervisor.apply(compiledOf('yard', [graphOf('a', { location: 'x' })]));
  await assert.rejects(change, { code: 'SL_PIPELINE_TIMEOUT', message: 'No picture of a' });
  assert.deepEqual(supervisor.graphOf('a').nodes[0]!.properties, {});
  const afterId = events.lastId;
  process.kill(supervisor.views()[0]!.pid!, 'SIGKILL');
  await untilTold('stream.live', afterId);
});

test('a shared graph goes over to a fresh worker: each stream’s records come from one at a time', async (t) => {
  const bench = supervise(t, compiledOf('yard', [sharedGraph('yard', ['a', 'b'])]));
  const { supervisor, records, events, untilStates } = bench;
  await untilStates({ a: 'live', b: 'live' });
  const [old] = supervisor.views();
  const states = watching(() => supervisor.streams.get('a')!.state);
  const totals = watching(() => supervisor.streams.get('a')!.status().counters.framesDecoded);
  const progress: string[] = [];
  const next = compiledOf('yard', [sharedGraph('yard', ['a', 'b', 'c'], { location: 'x' })]);
  const report = await supervisor.apply(next, { onProgress: (text) => progress.push(text) });
  assert.deepEqual(
    report.map(({ effect }) => effect),
    ['handed-over', 'handed-over', 'added'],
  );
  await untilStates({ a: 'live', b: 'live', c: 'live' });
  assert.deepEqual(new Set(await states()), new Set(['live']));
  const seen = await totals();
  assert.deepEqual(
    seen,
    seen.toSorted((x, y) => x - y),
  );
  const [view, ...others] = supervisor.views();
  assert.deepEqual([others, view!.lane, view!.streams], [[], 'main', ['a', 'b', 'c']]);
  assert.notEqual(view!.pid, old!.pid);
  assert.equal(runs(old!.pid!), false);
  for (const id of ['a', 'b']) {
    const sessions = records
      .filter(({ streamId }) => streamId === id)
      .map(({ recordId }) => recordId.split('/')[1]!);
    const first = sessions.lastIndexOf(`s${old!.pid}`);
    assert.ok(first > 0 && sessions.slice(first + 1).every((one) => one === `s${view!.pid}`));
  }
  assert.match(progress[0]!, /fresh worker is started/);
  const live = events
    .recent(1_000)
    .filter(({ type, streamId }) => type === 'stream.live' && streamId === 'a');
  assert.deepEqual(
    live.map(({ session }) => session),
    [`s${old!.pid}`, `s${view!.pid}`],
  );
});

test('a hand-over that has no pictures in time ends the fresh worker; the old one goes on', async (t) => {
  const bench = supervise(t, compiledOf('yard', [sharedGraph('yard', ['a', 'b'])]), {
    command: fakeWorker('late', 'nowhere'),
    settings: { handOverMs: 500 },
  });
  const { supervisor, records, untilStates } = bench;
  await untilStates({ a: 'live', b: 'live' });
  const [old] = supervisor.views();
  const next = compiledOf('yard', [sharedGraph('yard', ['a', 'b', 'c'], { location: 'nowhere' })]);
  await assert.rejects(supervisor.apply(next), { code: 'SL_TIMEOUT', message: /'a', 'b'/ });
  assert.deepEqual(
    supervisor.views().map(({ pid, lane }) => [pid, lane]),
    [[old!.pid, 'main']],
  );
  assert.deepEqual([...supervisor.streams.keys()], ['a', 'b']);
  await untilStates({ a: 'live', b: 'live' });
  const count = records.length;
  await until('frames of the old one', 3_000, () => records.length > count + 5);
  assert.equal(supervisor.streams.get('a')!.session, `s${old!.pid}`);
});

test('recycle() goes over to a fresh worker without a gap, also when asked twice at once', async (t) => {
  const { supervisor, untilStates } = supervise(t, compiledOf('yard', ['a', 'b']));
  await untilStates({ a: 'live', b: 'live' });
  const pid = supervisor.views()[0]!.pid!;
  const states = watching(() => supervisor.streams.get('a')!.state);
  const reason = { code: 'SL_WORKER_BUDGET', message: 'asked for' } as const;
  await Promise.all([supervisor.recycle(reason), supervisor.recycle(reason)]);
  assert.deepEqual(new Set(await states()), new Set(['live']));
  assert.equal(supervisor.views().length, 1);
  assert.equal(runs(pid), false);
  assert.equal(supervisor.streams.get('a')!.status().counters.workerRestarts, 0);
});

test('close() in the middle of a hand-over leaves no process', async (t) => {
  const bench = supervise(t, compiledOf('yard', [sharedGraph('yard', ['a', 'b'])]), {
    command: fakeWorker('late', 'nowhere'),
  });
  await bench.untilStates({ a: 'live', b: 'live' });
  const next = compiledOf('yard', [sharedGraph('yard', ['a', 'b'], { location: 'nowhere' })]);
  const change = bench.supervisor.apply(next);
  const refused = assert.rejects(change, { code: 'SL_CLOSED' });
  const pids = await until('two workers', 5_000, () => {
    const found = bench.supervisor.views().flatMap(({ pid }) => pid ?? []);
    return found.length === 2 && found;
  });
  await bench.supervisor.close({ drainMs: 500 });
  await refused;
  assert.deepEqual(pids.map(runs), [false, false]);
});

test('real workers: a change of one stream leaves no gap in it and none in the other', async (t) => {
  const command = workerCommand();
  const compiled = (pattern: string) =>
    compiledOf('yard', [testPictureGraph('a'), testPictureGraph('b', { pattern })]);
  const bench = supervise(t, compiled('smpte'), { command });
  await bench.untilStates({ a: 'live', b: 'live' }, 20_000);
  const { supervisor, records } = bench;
  const pid = supervisor.views()[0]!.pid!;
  const states = watching(
    () => `${supervisor.streams.get('a')!.state} ${supervisor.streams.get('b')!.state}`,
  );
  const report = await supervisor.apply(compiled('ball'));
  assert.deepEqual(
    report.map(({ effect }) => effect),
    ['unchanged', 'replaced'],
  );
  assert.equal(supervisor.views()[0]!.pid, pid);
  await supervisor.recycle({ code: 'SL_WORKER_BUDGET', message: 'asked for' });
  assert.notEqual(supervisor.views()[0]!.pid, pid);
  const seen = await states();
  assert.ok(!seen.some((text) => /backoff|pending|stopped/.test(text)), [...new Set(seen)].join());
  const ids = records.map(({ recordId }) => recordId);
  assert.equal(new Set(ids).size, ids.length);
});

test('another set of sinks holds for the next record, and nothing else changes', async (t) => {
  const withSinks = (sinks?: readonly string[]) => {
    const compiled = compiledOf('yard', ['cam']);
    const [{ id, spec }] = compiled.streams as [(typeof compiled.streams)[0]];
    return { ...compiled, streams: [{ id, spec: sinks ? { ...spec, sinks: [...sinks] } : spec }] };
  };
  const { supervisor, records, untilStates } = supervise(t, withSinks());
  await untilStates({ cam: 'live' });
  const sinksOf = () => records.at(-1)?.sinks;
  await until('a record for all', 5_000, () => records.length > 0);
  assert.equal(sinksOf(), undefined);
  const pid = supervisor.views()[0]!.pid!;
  const report = await supervisor.apply(withSinks(['files']));
  assert.deepEqual(report, [{ streamId: 'cam', effect: 'unchanged' }]);
  await until('one for a sink', 5_000, () => sinksOf()?.join() === 'files');
  await supervisor.apply(withSinks([]));
  await until('one for none', 5_000, () => sinksOf()?.length === 0);
  await supervisor.apply(withSinks());
  await until('one for all again', 5_000, () => sinksOf() === undefined);
  assert.equal(supervisor.views()[0]!.pid, pid);
});
