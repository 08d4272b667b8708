import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { ROOT } from '../../src/common/paths.ts';
import { EXIT_CODES, type StatsEvent } from '../../src/worker/protocol.ts';
import { graph, node, output, pictures } from '../gst/graphs.ts';
import { isAlive } from '../support/processes.ts';
import { until } from '../support/wait.ts';
import { POLICY, WORKER_ARGS, WorkerHarness } from './worker-harness.ts';

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

function stats(worker: WorkerHarness): readonly StatsEvent[] {
  return worker.events.filter((event): event is StatsEvent => event.event === 'stats');
}

test('a worker says ready, runs a stream, reports it and drains it', async () => {
  await using worker = await WorkerHarness.launch();
  const [ready] = worker.events;
  assert.ok(ready?.event === 'ready');
  assert.equal(ready.pid, worker.pid);
  assert.match(ready.gstreamer, /^1\.\d+\.\d+$/);

  assert.deepEqual((await worker.start([pictures('cam', { 'is-live': true })])) as object, {
    id: 1,
    result: {},
  });
  const live = await worker.phase('cam', 'live');
  assert.match(live.session ?? '', UUID_V7);
  const report = await until('a report', 5_000, () => stats(worker)[0]);
  assert.ok(report.streams['cam']!.framesDecoded > 0);
  assert.ok(report.rssBytes > 10_000_000);

  const stopped = await worker.request('stop', { drainMs: 2_000 });
  assert.deepEqual(stopped, { id: 2, result: { drained: true } });
  assert.deepEqual(await worker.exited(2_000), { code: EXIT_CODES.ended, signal: null });
  const told = worker.phases('cam').map(({ phase }) => phase);
  assert.deepEqual(told, ['connecting', 'live', 'stopped']);
  // Nothing is lost on the way out: every picture that was counted came over the line.
  const { framesPublished, recordsDropped } = stats(worker).at(-1)!.streams['cam']!;
  assert.equal(recordsDropped, 0);
  assert.equal(worker.records.length, framesPublished);
  assert.deepEqual(worker.stderr, []);
});

test('a stream whose frames end is over, and a worker whose streams are over leaves with 0', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sightline-worker-'));
  try {
    const file = join(folder, 'raw');
    await writeFile(file, Buffer.alloc(4096 * 10));
    const reading = graph('file', [
      node('source', 'filesrc', 'source', { location: file, blocksize: 4096 }),
      output('out'),
    ]);
    await using worker = await WorkerHarness.launch();
    await worker.start([reading]);
    const ended = await worker.phase('file', 'ended');
    assert.equal(ended.code, 'SL_SOURCE_ENDED');
    assert.deepEqual(await worker.exited(3_000), { code: EXIT_CODES.ended, signal: null });
    // The line of data is read to its end after the process has left.
    await until('its records', 5_000, () => worker.records.length >= 10);
    assert.equal(worker.records.length, 10);
    assert.equal(stats(worker).at(-1)!.streams['file']!.framesPublished, 10);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a live source that ends is reconnected in a new session, and the counters go on', async () => {
  await using worker = await WorkerHarness.launch();
  await worker.start([pictures('cam', { 'is-live': true, 'num-buffers': 5 })]);
  const backoff = await worker.phase('cam', 'backoff');
  assert.equal(backoff.code, 'SL_SOURCE_ENDED');
  assert.ok(backoff.retryInMs !== undefined && backoff.retryInMs <= 200);
  await until('a third session', 10_000, () => {
    return worker.phases('cam').filter(({ phase }) => phase === 'live').length >= 3;
  });
  const sessions = new Set(worker.phases('cam').map(({ session }) => session));
  assert.ok(sessions.size >= 3);
  const sorted = [...sessions].sort();
  assert.deepEqual([...sessions], sorted);
  await until('15 frames are counted', 5_000, () => {
    return stats(worker).some(({ streams }) => streams['cam']!.framesDecoded >= 15);
  });
});

test('one stream’s bad graph fails it alone; its neighbour goes on', async () => {
  await using worker = await WorkerHarness.launch();
  const bad = pictures('bad', { pattern: 'none such' });
  const missing = graph('missing', [node('source', 'nosuchsrc', 'source'), output('out')]);
  await worker.start([bad, missing, pictures('good', { 'is-live': true })]);
  assert.equal((await worker.phase('bad', 'failed')).code, 'SL_SPEC_INVALID');
  assert.equal((await worker.phase('missing', 'failed')).code, 'SL_BACKEND_UNSUPPORTED');
  await worker.phase('good', 'live');
  await until('two reports', 5_000, () => stats(worker).length >= 2);
  assert.equal(worker.child.exitCode, null);
});

test('a stream that goes silent is stalled and reconnected', async () => {
  // After the first source's only picture the second one's turn has come, which gives none.
  const silent = graph(
    'cam',
    [
      node('first', 'videotestsrc', 'source', { 'is-live': true, 'num-buffers': 1 }),
      node('second', 'appsrc', 'source'),
      node('turns', 'concat', 'queue'),
      output('out'),
    ],
    {
      links: [
        { from: 'first', to: 'turns' },
        { from: 'second', to: 'turns' },
        { from: 'turns', to: 'out' },
      ],
    },
  );
  await using worker = await WorkerHarness.launch();
  await worker.start([silent], { stallTimeoutMs: 1_000 });
  await worker.phase('cam', 'live');
  const backoff = await worker.phase('cam', 'backoff');
  assert.equal(backoff.code, 'SL_SOURCE_STALLED');
  assert.match(backoff.message ?? '', /No picture came for \d+ ms/);
});

test('a stream without a first picture never is live', async () => {
  const silent = graph('cam', [node('source', 'appsrc', 'source'), output('out')]);
  await using worker = await WorkerHarness.launch();
  await worker.start([silent], { firstFrameTimeoutMs: 300 });
  const backoff = await worker.phase('cam', 'backoff');
  assert.equal(backoff.code, 'SL_SOURCE_STALLED');
  assert.equal(backoff.message, 'No picture came within 300 ms');
  assert.ok(!worker.phases('cam').some(({ phase }) => phase === 'live'));
});

test('a worker whose pipeline hangs says so and leaves with the code for it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sightline-worker-'));
  try {
    const fifo = join(folder, 'fifo');
    execFileSync('mkfifo', [fifo]);
    // Opening a FIFO waits for its writer, inside of the state change.
    const hanging = graph('cam', [
      node('source', 'filesrc', 'source', { location: fifo }),
      output('out'),
    ]);
    await using worker = await WorkerHarness.launch();
    const starting = worker.start([hanging], { firstFrameTimeoutMs: 1_500 });
    await worker.phase('cam', 'connecting');
    // The picture that a person wants to see then.
    const reply = await worker.request('dot', { graphId: 'cam' });
    assert.match(JSON.stringify(reply), /digraph pipeline.*GstFileSrc/);
    await starting;
    assert.deepEqual(await worker.exited(8_000), { code: EXIT_CODES.frozen, signal: null });
    assert.ok(
      worker.events.some((event) => event.event === 'log' && event.msg === 'pipeline.frozen'),
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('dot gives a graph’s picture, and says when there is none', async () => {
  await using worker = await WorkerHarness.launch();
  await worker.start([pictures('cam', { 'is-live': true })]);
  await worker.phase('cam', 'live');
  const reply = await worker.request('dot', { graphId: 'cam' });
  assert.ok('result' in reply);
  assert.match((reply.result as { dot: string }).dot, /^digraph pipeline/);
  const none = await worker.request('dot', { graphId: 'other' });
  assert.deepEqual(none, {
    id: 3,
    error: { code: 'SL_NOT_FOUND', message: 'The worker has no graph "other"' },
  });
});

test('a start request without graphs is refused, and the worker leaves with the code for it', async () => {
  await using worker = await WorkerHarness.launch();
  const reply = await worker.start([]);
  assert.ok('error' in reply);
  assert.equal(reply.error.code, 'SL_SPEC_INVALID');
  assert.deepEqual(await worker.exited(2_000), { code: EXIT_CODES.badGraph, signal: null });
});

test('SIGTERM drains like stop; SIGINT is the parent’s business', async () => {
  await using worker = await WorkerHarness.launch();
  await worker.start([pictures('cam', { 'is-live': true })]);
  await worker.phase('cam', 'live');
  const reports = stats(worker).length;
  worker.child.kill('SIGINT');
  await until('it goes on', 5_000, () => stats(worker).length > reports + 1);
  worker.child.kill('SIGTERM');
  assert.deepEqual(await worker.exited(4_000), { code: EXIT_CODES.ended, signal: null });
  assert.equal(worker.phases('cam').at(-1)?.phase, 'stopped');
});

test('SIGKILL of a worker is seen at once, and its lines close', async () => {
  await using worker = await WorkerHarness.launch();
  await worker.start([pictures('cam', { 'is-live': true })]);
  await worker.phase('cam', 'live');
  const closed = Promise.all([once(worker.control, 'close'), once(worker.data, 'close')]);
  worker.child.kill('SIGKILL');
  assert.deepEqual(await worker.exited(1_000), { code: null, signal: 'SIGKILL' });
  await closed;
});

test('a stop without time to drain ends its streams at once, which is no freeze', async () => {
  await using worker = await WorkerHarness.launch();
  const streams = ['cam-1', 'cam-2', 'cam-3'];
  await worker.start(streams.map((id) => pictures(id, { 'is-live': true })));
  for (const id of streams) await worker.phase(id, 'live');
  const stopped = await worker.request('stop', { drainMs: 0 });
  assert.deepEqual(stopped, { id: 2, result: { drained: false } });
  assert.deepEqual(await worker.exited(2_500), { code: EXIT_CODES.ended, signal: null });
  for (const id of streams) assert.equal(worker.phases(id).at(-1)?.phase, 'stopped');
});

test('a worker whose control line closes stops and leaves with the code for it', async () => {
  await using worker = await WorkerHarness.launch();
  await worker.start([pictures('cam', { 'is-live': true })]);
  await worker.phase('cam', 'live');
  worker.control.destroy();
  assert.deepEqual(await worker.exited(2_500), { code: EXIT_CODES.parentGone, signal: null });
});

test('a worker whose record line closes fails its streams but stays', async () => {
  await using worker = await WorkerHarness.launch();
  await worker.start([pictures('cam', { 'is-live': true })]);
  await worker.phase('cam', 'live');
  worker.data.destroy();
  const backoff = await worker.phase('cam', 'backoff');
  assert.equal(backoff.code, 'SL_PIPELINE_FAILED');
  assert.match(backoff.message ?? '', /Records cannot be handed on/);
  assert.equal(worker.child.exitCode, null);
});

test('a slow reader of records costs counted drops, never pictures', async () => {
  await using worker = await WorkerHarness.launch({ readData: false });
  const large = graph(
    'cam',
    [node('source', 'videotestsrc', 'source', { 'is-live': false }), output('out')],
    {
      links: [{ from: 'source', to: 'out', caps: 'video/x-raw,format=GRAY8,width=640,height=480' }],
    },
  );
  await worker.start([large]);
  const full = await until('drops are counted', 10_000, () => {
    return stats(worker).find(({ streams }) => streams['cam']!.recordsDropped > 0);
  });
  assert.ok(full.rssBytes < 250_000_000, `${full.rssBytes} bytes`);
  const later = await until('pictures go on', 5_000, () => {
    const { framesDecoded } = full.streams['cam']!;
    return stats(worker).find(({ streams }) => streams['cam']!.framesDecoded > framesDecoded);
  });
  assert.ok(later.streams['cam']!.recordsDropped > full.streams['cam']!.recordsDropped);
  worker.readData();
  await until('records arrive whole', 10_000, () => worker.records.length > 100);
  assert.ok(worker.records.every(({ kind, payload }) => kind === 1 && payload.length === 307_200));
});

test('kill -9 of the parent leaves no worker behind, also one that hangs and removes a graph', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sightline-worker-'));
  const fifo = join(folder, 'fifo');
  execFileSync('mkfifo', [fifo]);
  const hanging = graph('hanging', [
    node('source', 'filesrc', 'source', { location: fifo }),
    output('out'),
  ]);
  const start = {
    pipelineId: 'test',
    graphs: [pictures('cam', { 'is-live': true })],
    stream: POLICY,
  };
  const requests = [
    { id: 1, method: 'start', params: start },
    { id: 2, method: 'add', params: { graphs: [hanging] } },
    { id: 3, method: 'remove', params: { graphId: 'hanging', drainMs: 60_000 } },
  ];
  const parent = spawn(
    process.execPath,
    [
      '--input-type=module',
      '--eval',
      `import { spawn } from 'node:child_process';
       const child = spawn(process.execPath, ${JSON.stringify(WORKER_ARGS)}, {
         stdio: ['ignore', 'ignore', 'inherit', 'pipe', 'pipe'],
       });
       for (const request of ${JSON.stringify(requests)})
         child.stdio[3].write(JSON.stringify(request) + '\\n');
       let said = '';
       child.stdio[3].on('data', (chunk) => {
         said += chunk;
         if (said.includes('"hanging","phase":"connecting"') && said.includes('"live"')) console.log(child.pid);
       });
       child.stdio[4].resume();`,
    ],
    { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  try {
    const [line] = (await once(createInterface({ input: parent.stdout! }), 'line', {
      signal: AbortSignal.timeout(20_000),
    })) as [string];
    const pid = Number(line);
    assert.ok(isAlive(pid));
    parent.kill('SIGKILL');
    await until('the worker is gone', 3_000, () => !isAlive(pid));
  } finally {
    parent.kill('SIGKILL');
    await rm(folder, { recursive: true });
  }
});

test('a worker that hangs leaves when its control line closes', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sightline-worker-'));
  try {
    const fifo = join(folder, 'fifo');
    execFileSync('mkfifo', [fifo]);
    const hanging = graph('cam', [
      node('source', 'filesrc', 'source', { location: fifo }),
      output('out'),
    ]);
    await using worker = await WorkerHarness.launch();
    void worker.start([hanging]).catch(() => undefined);
    await worker.phase('cam', 'connecting');
    worker.control.destroy();
    assert.deepEqual(await worker.exited(3_000), { code: EXIT_CODES.parentGone, signal: null });
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a worker that is started by hand says why it cannot run', async () => {
  const child = spawn(process.execPath, WORKER_ARGS, {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let text = '';
  child.stderr!.on('data', (chunk) => {
    text += chunk;
  });
  const [code] = (await once(child, 'close')) as [number];
  assert.equal(code, EXIT_CODES.pipelineFailed);
  assert.match(
    text,
    /SL_CONFIG_INVALID: The worker is started by `sightline serve` .* not by hand/,
  );
});
