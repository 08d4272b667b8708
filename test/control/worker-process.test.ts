import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SightlineError } from '../../src/common/errors.ts';
import { STREAM_POLICY } from '../../src/control/lanes/settings.ts';
import { Scrubber } from '../../src/control/scrubber.ts';
import type { WorkerExit } from '../../src/control/types.ts';
import { WorkerProcess, type WorkerProcessOptions } from '../../src/control/worker-process.ts';
import type { WorkerEvent } from '../../src/worker/protocol.ts';
import { until } from '../support/wait.ts';
import { fakeWorker, graphOf, memoryLogger, runs } from './support.ts';

interface Seen {
  readonly exits: { exit: WorkerExit; pid: number }[];
  readonly events: WorkerEvent[];
  readonly payloads: Buffer[];
}

function prepare(
  mode: string,
  argument = '',
  more: Partial<WorkerProcessOptions> = {},
): { seen: Seen; options: WorkerProcessOptions } {
  const seen: Seen = { exits: [], events: [], payloads: [] };
  const options = {
    command: fakeWorker(mode, argument),
    scrubber: new Scrubber(),
    logger: memoryLogger().logger,
    onEvent: (event: WorkerEvent) => void seen.events.push(event),
    onRecords: (records: readonly { payload: Buffer }[]) => {
      seen.payloads.push(...records.map(({ payload }) => payload));
    },
    onExit: (exit: WorkerExit, pid: number) => void seen.exits.push({ exit, pid }),
    ...more,
  };
  return { seen, options };
}

const START = { pipelineId: 'p', graphs: [graphOf('cam')], stream: STREAM_POLICY };

function code(expected: string) {
  return (error: unknown) => error instanceof SightlineError && error.code === expected;
}

test('launch() gives a ready worker, and stop() drains it and leaves no process', async () => {
  const { seen, options } = prepare('good');
  const worker = await WorkerProcess.launch(options);
  await worker.start(START);
  await until('three records', 3_000, () => seen.payloads.length > 2);
  const exit = await worker.stop({ drainMs: 1_000 });
  assert.equal(exit.kind, 'stopped');
  assert.equal(exit.code, 0);
  assert.match(exit.message, /drained and left/);
  assert.equal(runs(worker.pid), false);
  assert.equal(await worker.stop({ drainMs: 0 }), exit);
});

test('launch() rejects and reaps a worker that is not ready in time', async () => {
  const { seen, options } = prepare('silent', '', { limits: { readyMs: 300 } });
  const started = performance.now();
  await assert.rejects(WorkerProcess.launch(options), code('SL_WORKER_NOT_READY'));
  assert.ok(performance.now() - started < 2_000);
  assert.equal(seen.exits.length, 1);
  assert.equal(seen.exits[0]!.exit.kind, 'died');
  assert.match(seen.exits[0]!.exit.message, /not ready within 300 ms/);
  assert.equal(runs(seen.exits[0]!.pid), false);
});

test('launch() rejects with the exit and the last words of a worker that dies first', async () => {
  const { seen, options } = prepare('exit', '7');
  await assert.rejects(WorkerProcess.launch(options), (error: Error) => {
    assert.match(error.message, /exit code 7/);
    return code('SL_WORKER_NOT_READY')(error);
  });
  assert.deepEqual(seen.exits[0]!.exit.stderrTail, ['first words', 'last words']);
  assert.equal(seen.exits[0]!.exit.code, 7);
});

test('launch() rejects when the program cannot be spawned', async () => {
  const { options } = prepare('good', '', {
    command: { file: '/nowhere/worker', args: [], env: {} },
  });
  await assert.rejects(WorkerProcess.launch(options), (error: Error) => {
    assert.match(error.message, /could not be spawned/);
    return code('SL_WORKER_NOT_READY')(error);
  });
});

test('launch() is cancelled by its signal and reaps the worker', async () => {
  const { seen, options } = prepare('silent');
  const cancel = new AbortController();
  const launched = WorkerProcess.launch(options, { signal: cancel.signal });
  cancel.abort();
  await assert.rejects(launched, /cancelled/);
  assert.equal(runs(seen.exits[0]!.pid), false);
});

for (const [mode, message] of [
  ['garbage', /no JSON/],
  ['long-line', /more than 4194304 bytes/],
  ['bad-message', /neither an event nor a reply/],
  ['huge-record', /record of 4294967295 bytes/],
  ['close-line', /closed its control line and did not leave/],
] as const) {
  test(`a worker that breaks the protocol (${mode}) is killed with the reason`, async () => {
    const { options } = prepare(mode);
    const worker = await WorkerProcess.launch(options);
    await worker.start(START).catch(() => undefined);
    const exit = await worker.exited;
    assert.equal(exit.kind, 'died');
    assert.match(exit.message, message);
    assert.equal(runs(worker.pid), false);
  });
}

test('a request that is not answered fails at its deadline', async () => {
  const { options } = prepare('deaf', '', { limits: { startMs: 200 } });
  const worker = await WorkerProcess.launch(options);
  await assert.rejects(worker.start(START), code('SL_TIMEOUT'));
  const exit = await worker.stop({ drainMs: 0 });
  assert.equal(exit.signal, 'SIGKILL');
});

test('a request fails with SL_WORKER_DIED when the worker dies before it answers', async () => {
  const { options } = prepare('bad-graph');
  const worker = await WorkerProcess.launch(options);
  await assert.rejects(worker.start(START), code('SL_WORKER_DIED'));
  const exit = await worker.exited;
  assert.deepEqual([exit.kind, exit.code], ['died', 40]);
  assert.match(exit.message, /the graph could not be built/);
});

test('a refusal carries the code of the worker', async () => {
  const { options } = prepare('refuse-start', 'cam');
  const worker = await WorkerProcess.launch(options);
  await assert.rejects(worker.start(START), code('SL_MODEL_INVALID'));
  await worker.stop({ drainMs: 0 });
});

test('stop() says when the drain came to its limit', async () => {
  const { options } = prepare('cut');
  const worker = await WorkerProcess.launch(options);
  await worker.start(START);
  assert.match((await worker.stop({ drainMs: 100 })).message, /at the limit of its drain/);
});

test('stop() ends a worker that neither drains nor heeds SIGTERM by SIGKILL, within its limits', async () => {
  const { options } = prepare('deaf-stop');
  const worker = await WorkerProcess.launch(options);
  await worker.start(START);
  const started = performance.now();
  const exit = await worker.stop({ drainMs: 200 });
  assert.ok(performance.now() - started < 2_500);
  assert.deepEqual([exit.kind, exit.signal], ['stopped', 'SIGKILL']);
  assert.match(exit.message, /did not leave after SIGTERM/);
  assert.equal(runs(worker.pid), false);
});

test('stop() ends a worker frozen by SIGSTOP within its limits', async () => {
  const { options } = prepare('good');
  const worker = await WorkerProcess.launch(options);
  await worker.start(START);
  process.kill(worker.pid, 'SIGSTOP');
  const started = performance.now();
  const exit = await worker.stop({ drainMs: 300 });
  assert.ok(performance.now() - started < 2_600);
  assert.deepEqual([exit.kind, exit.signal], ['stopped', 'SIGKILL']);
});

test('a worker that leaves by itself has ended, and its last events are not lost', async () => {
  const { seen, options } = prepare('end');
  const worker = await WorkerProcess.launch(options);
  await worker.start(START);
  const exit = await worker.exited;
  assert.deepEqual([exit.kind, exit.code], ['ended', 0]);
  assert.deepEqual(
    seen.events.map((event) => event.event === 'stream' && event.phase),
    ['ended'],
  );
});

/** A consumer that holds back each of its first `holds` batches until told to go on. */
function holdingConsumer(holds: number) {
  const state = { batches: 0, records: 0, release: () => {} };
  const consume = (records: readonly unknown[]): void | Promise<void> => {
    state.batches += 1;
    state.records += records.length;
    if (state.batches > holds) return;
    return new Promise((resolve) => {
      state.release = resolve;
    });
  };
  return { state, consume };
}

test('back-pressure pauses the data line, and nothing is lost when it goes on', async () => {
  const { state, consume } = holdingConsumer(3);
  const { options } = prepare('flood', '5000', { onRecords: consume });
  const worker = await WorkerProcess.launch(options);
  await worker.start(START);
  for (let held = 1; held <= 3; held++) {
    await until(`hand-over ${held}`, 3_000, () => state.batches === held);
    assert.equal(worker.paused, true);
    // The answer of another request has gone round: reading goes on, but not of records.
    await worker.dot('cam');
    assert.equal(state.batches, held);
    state.release();
  }
  await until('all records', 5_000, () => state.records === 5_000);
  assert.equal(worker.paused, false);
  assert.equal(worker.cutOffBytes, 0);
  await worker.stop({ drainMs: 100 });
  await worker.drained;
});

test('records that a worker had sent are taken after its death, when the consumer goes on', async () => {
  // About 150 KB: more than one read or two take, and less than the line holds while nobody reads.
  const count = 1200;
  const { state, consume } = holdingConsumer(1);
  const { seen, options } = prepare('flood', String(count), { onRecords: consume });
  const worker = await WorkerProcess.launch(options);
  await worker.start(START);
  await until('the worker has sent all', 3_000, () => seen.events.length === 1);
  process.kill(worker.pid, 'SIGKILL');
  const exit = await worker.exited;
  assert.deepEqual([exit.kind, exit.signal], ['died', 'SIGKILL']);
  assert.ok(state.records < count, `${state.records} were taken before`);
  state.release();
  await worker.drained;
  assert.equal(state.records, count);
});
