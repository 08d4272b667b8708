import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { type ErrorCode, SightlineError } from '../../src/common/errors.ts';
import { Database } from '../../src/common/sqlite.ts';
import { createOrchestrator } from '../../src/control/orchestrator.ts';
import type { Compiler } from '../../src/control/types.ts';
import { until } from '../support/wait.ts';
import {
  fakeWorker,
  graphOf,
  memoryLogger,
  PLAIN_COMPILER,
  pipelineOf,
  runs,
  specOf,
  startOrchestrator,
  temporaryFolder,
  untilState,
  untilTold,
} from './support.ts';

function code(expected: ErrorCode) {
  return (error: unknown) => error instanceof SightlineError && error.code === expected;
}

test('a stream goes from pending over connecting to live, and its figures come from its records', async (t) => {
  const { orchestrator, records } = await startOrchestrator(t);
  const created = await orchestrator.createStream(specOf('cam'));
  assert.equal(created.status.state, 'pending');
  assert.equal(created.pipelineId, 'cam');
  await untilState(orchestrator, 'cam', 'live');
  await until('frames and rates', 5_000, () => {
    const { counters, fps } = orchestrator.getStream('cam').status;
    return counters.framesReceived > 5 && fps.decoded > 0;
  });
  const { status } = orchestrator.getStream('cam');
  assert.deepEqual(status.objects, { person: 2, car: 1 });
  assert.deepEqual(status.objectsLastSecond, { person: 2, car: 1 });
  assert.deepEqual(status.latencyMs, { p50: 20, p95: 20 });
  assert.equal(status.attempt, 0);
  assert.match(status.session!, /^s\d+$/);
  assert.equal(status.counters.imagesReceived, 1);
  assert.equal(orchestrator.getLatestFrame('cam')!.frame.objects.length, 3);
  const image = orchestrator.getLatestImage('cam')!;
  assert.equal(image.frameSequence, '0');
  assert.equal(image.frame!.frameSequence, '0');
  assert.deepEqual([...image.data], [0xff, 0xd8, 0xff, 0xd9]);
  assert.deepEqual(
    records.slice(0, 2).map(({ kind, recordId, atMs }) => [kind, recordId, atMs]),
    [
      ['frame', `cam/${status.session}/0`, 1_700_000_000_000],
      ['image', `cam/${status.session}/0/image`, 0],
    ],
  );
});

test('the steps of a stream are events, in order and with their facts', async (t) => {
  const { orchestrator } = await startOrchestrator(t);
  const subscription = orchestrator.events.subscribe();
  await orchestrator.createStream(specOf('cam'));
  await untilState(orchestrator, 'cam', 'live');
  await orchestrator.removeStream('cam', { drainMs: 1_000 });
  const types: string[] = [];
  for await (const event of subscription) {
    types.push(event.type);
    if (event.type === 'stream.removed') break;
  }
  assert.deepEqual(types, [
    'stream.created',
    'worker.starting',
    'worker.running',
    'stream.connecting',
    'stream.live',
    'stream.draining',
    'worker.exited',
    'stream.stopped',
    'stream.removed',
  ]);
  assert.equal(subscription.ended, 'closed');
});

test('a killed worker puts its stream into backoff with the signal, and the stream becomes live again', async (t) => {
  const { orchestrator } = await startOrchestrator(t);
  await orchestrator.createStream(specOf('cam'));
  await untilState(orchestrator, 'cam', 'live');
  await until('counted frames', 3_000, () => {
    return orchestrator.getStream('cam').status.counters.framesDecoded > 0;
  });
  const before = orchestrator.getStream('cam').status.counters;
  const [first] = orchestrator.workers();
  const afterId = orchestrator.events.lastId;
  process.kill(first!.pid!, 'SIGKILL');
  await untilTold(orchestrator, 'stream.live', afterId);
  const backoff = await untilTold(orchestrator, 'stream.backoff', afterId);
  assert.equal(backoff['code'], 'SL_WORKER_DIED');
  assert.match(String(backoff['message']), /killed by SIGKILL/);
  const [view] = orchestrator.workers();
  assert.equal(view!.restarts, 1);
  assert.deepEqual([view!.lastExit!.kind, view!.lastExit!.signal], ['died', 'SIGKILL']);
  const { counters, reason } = orchestrator.getStream('cam').status;
  assert.ok(counters.framesDecoded >= before.framesDecoded, 'totals do not fall');
  assert.deepEqual([counters.workerRestarts, counters.reconnects], [1, 1]);
  assert.equal(reason, undefined);
});

test('while its worker cannot start, a stream is in backoff with the reason and the next try', async (t) => {
  const { orchestrator } = await startOrchestrator(t, { command: fakeWorker('exit', '3') });
  await orchestrator.createStream(specOf('cam'));
  await until('a second try', 5_000, () => orchestrator.workers()[0]!.restarts >= 2);
  await untilState(orchestrator, 'cam', 'backoff');
  const { reason, retryAt } = orchestrator.getStream('cam').status;
  assert.equal(reason!.code, 'SL_WORKER_NOT_READY');
  assert.match(reason!.message, /exit code 3/);
  assert.ok(retryAt !== undefined);
  await orchestrator.removeStream('cam');
  assert.deepEqual(orchestrator.listStreams(), []);
  assert.deepEqual(orchestrator.workers(), []);
});

for (const [mode, expected] of [
  ['refuse-start', 'SL_MODEL_INVALID'],
  ['bad-graph', 'SL_PIPELINE_FAILED'],
] as const) {
  test(`a worker that can never run (${mode}) is not started again: the stream is rejected`, async (t) => {
    const { orchestrator } = await startOrchestrator(t, { command: fakeWorker(mode) });
    await orchestrator.createStream(specOf('cam'));
    await untilState(orchestrator, 'cam', 'rejected');
    assert.equal(orchestrator.getStream('cam').status.reason!.code, expected);
    const [worker] = orchestrator.workers();
    assert.deepEqual([worker!.state, worker!.restarts], ['stopped', 0]);
  });
}

test('a source that is over stops its stream with the reason and ends its worker', async (t) => {
  const { orchestrator } = await startOrchestrator(t, { command: fakeWorker('end') });
  await orchestrator.createStream(specOf('file'));
  await untilState(orchestrator, 'file', 'stopped');
  assert.equal(orchestrator.getStream('file').status.reason!.code, 'SL_SOURCE_ENDED');
  await until('the worker is gone', 3_000, () => orchestrator.workers()[0]!.state === 'stopped');
  assert.equal(orchestrator.workers()[0]!.lastExit!.kind, 'ended');
});

test('when a worker dies, a stream that was over is not played again', async (t) => {
  const { orchestrator } = await startOrchestrator(t, { command: fakeWorker('end-first', 'file') });
  await orchestrator.addPipeline(pipelineOf('both', ['file', 'cam']));
  await untilState(orchestrator, 'file', 'stopped');
  await untilState(orchestrator, 'cam', 'live');
  const afterId = orchestrator.events.lastId;
  process.kill(orchestrator.workers()[0]!.pid!, 'SIGKILL');
  await untilTold(orchestrator, 'stream.live', afterId);
  const states = orchestrator.events.recent().filter(({ streamId }) => streamId === 'file');
  assert.deepEqual(
    states.map(({ type }) => type),
    ['stream.created', 'stream.stopped'],
  );
});

test('a removal that cannot be written is refused, and can be tried again', async (t) => {
  const { orchestrator, dataDir } = await startOrchestrator(t);
  await orchestrator.createStream(specOf('cam'));
  const other = new Database(join(dataDir, 'registry.sqlite'));
  t.after(() => other.close());
  other.exec('BEGIN IMMEDIATE');
  await assert.rejects(orchestrator.removeStream('cam'), code('SL_UNAVAILABLE'));
  assert.notEqual(orchestrator.getStream('cam').status.state, 'draining');
  other.exec('COMMIT');
  await orchestrator.removeStream('cam');
});

test('a taken id is SL_CONFLICT, also while the first is being made; an unknown one SL_NOT_FOUND', async (t) => {
  const { orchestrator } = await startOrchestrator(t);
  const both = await Promise.allSettled([
    orchestrator.createStream(specOf('cam')),
    orchestrator.createStream(specOf('cam')),
  ]);
  assert.deepEqual(
    both.map(({ status }) => status),
    ['fulfilled', 'rejected'],
  );
  await assert.rejects(orchestrator.createStream(specOf('cam')), code('SL_CONFLICT'));
  await assert.rejects(
    orchestrator.addPipeline(pipelineOf('p', ['other', 'cam'])),
    code('SL_CONFLICT'),
  );
  await assert.rejects(orchestrator.removeStream('none'), code('SL_NOT_FOUND'));
  assert.throws(() => orchestrator.getStream('none'), code('SL_NOT_FOUND'));
  assert.throws(() => orchestrator.getLatestFrame('none'), code('SL_NOT_FOUND'));
  await orchestrator.removeStream('cam');
  await orchestrator.createStream(specOf('cam'));
});

test('a spec that does not compile is refused before anything starts, and its id stays free', async (t) => {
  let refuse = true;
  const compiler: Compiler = {
    ...PLAIN_COMPILER,
    stream: (spec) => {
      if (!refuse) return PLAIN_COMPILER.stream(spec);
      const problems = [{ pointer: '/infer/model', message: 'no such model' }];
      throw new SightlineError('SL_SPEC_INVALID', 'The spec is wrong', { problems });
    },
  };
  const { orchestrator } = await startOrchestrator(t, { compiler });
  await assert.rejects(orchestrator.createStream(specOf('cam')), code('SL_SPEC_INVALID'));
  assert.deepEqual([orchestrator.listStreams(), orchestrator.workers()], [[], []]);
  assert.deepEqual(orchestrator.events.recent(), []);
  refuse = false;
  await orchestrator.createStream(specOf('cam'));
});

test('a pipeline of a file runs its streams in one worker; one of them cannot be removed alone', async (t) => {
  const { orchestrator } = await startOrchestrator(t);
  const views = await orchestrator.addPipeline(pipelineOf('yard', ['gate', 'door']));
  assert.deepEqual(
    views.map(({ id, pipelineId, source }) => [id, pipelineId, source]),
    [
      ['gate', 'yard', 'config'],
      ['door', 'yard', 'config'],
    ],
  );
  await untilState(orchestrator, 'gate', 'live');
  await untilState(orchestrator, 'door', 'live');
  assert.equal(orchestrator.workers().length, 1);
  await assert.rejects(orchestrator.removeStream('gate'), code('SL_CONFLICT'));
});

test('streams of the API come back after a restart, in order; those of files do not', async (t) => {
  const dataDir = temporaryFolder(t);
  const first = await startOrchestrator(t, { dataDir });
  await first.orchestrator.createStream(specOf('b', { note: 'kept' }));
  await first.orchestrator.createStream(specOf('a'));
  await first.orchestrator.createStream(specOf('gone'));
  await first.orchestrator.createStream(specOf('file'), { source: 'config' });
  await first.orchestrator.removeStream('gone');
  await first.orchestrator.close();
  const { orchestrator } = await startOrchestrator(t, { dataDir });
  const views = orchestrator.listStreams();
  assert.deepEqual(
    views.map(({ id, source, spec }) => [id, source, spec]),
    [
      ['b', 'api', { id: 'b', note: 'kept' }],
      ['a', 'api', { id: 'a' }],
    ],
  );
  await untilState(orchestrator, 'a', 'live');
  await untilState(orchestrator, 'b', 'live');
});

test('a kept stream whose spec no longer compiles is shown as rejected and can be removed', async (t) => {
  const dataDir = temporaryFolder(t);
  const first = await startOrchestrator(t, { dataDir });
  await first.orchestrator.createStream(specOf('cam'));
  await first.orchestrator.close();
  const compiler: Compiler = {
    ...PLAIN_COMPILER,
    stream: () => {
      throw new SightlineError('SL_MODEL_NOT_FOUND', 'There is no model x', {
        problems: [{ pointer: '/infer/model', message: 'unknown' }],
      });
    },
  };
  const { orchestrator } = await startOrchestrator(t, { dataDir, compiler });
  const { state, reason } = orchestrator.getStream('cam').status;
  assert.equal(state, 'rejected');
  assert.equal(reason!.code, 'SL_MODEL_NOT_FOUND');
  assert.deepEqual(reason!.problems, [{ pointer: '/infer/model', message: 'unknown' }]);
  await assert.rejects(orchestrator.createStream(specOf('cam')), code('SL_CONFLICT'));
  await orchestrator.removeStream('cam');
  assert.deepEqual(orchestrator.listStreams(), []);
});

test('records that nobody can read are counted and told, and the others go on', async (t) => {
  const { orchestrator } = await startOrchestrator(t, { command: fakeWorker('strange-records') });
  await orchestrator.createStream(specOf('cam'));
  await untilState(orchestrator, 'cam', 'live');
  await until('frames', 3_000, () => orchestrator.getStream('cam').status.counters.framesReceived);
  const told = orchestrator.events.recent().filter(({ type }) => type === 'records.unreadable');
  // Told at 1 and 2, the third waits for 4.
  assert.deepEqual(
    told.map((event) => event['total']),
    [1, 2],
  );
});

test('a consumer that fails has its records counted as refused', async (t) => {
  const { orchestrator } = await startOrchestrator(t, {
    onRecords: () => Promise.reject(new SightlineError('SL_OUTBOX_DISK_FULL', 'no space')),
  });
  await orchestrator.createStream(specOf('cam'));
  await until('refused records', 3_000, () => {
    return orchestrator.getStream('cam').status.counters.recordsRefused > 1;
  });
  const told = orchestrator.events.recent().find(({ type }) => type === 'records.refused');
  assert.equal(told!['code'], 'SL_OUTBOX_DISK_FULL');
});

test('close() drains all pipelines at once, within its limit, and leaves no process', async (t) => {
  const { orchestrator } = await startOrchestrator(t, { command: fakeWorker('deaf-stop') });
  for (const id of ['a', 'b', 'c']) await orchestrator.createStream(specOf(id));
  for (const id of ['a', 'b', 'c']) await untilState(orchestrator, id, 'live');
  const pids = orchestrator.workers().map(({ pid }) => pid!);
  const started = performance.now();
  await orchestrator.close({ drainMs: 500 });
  assert.ok(performance.now() - started < 500 + 2_000);
  assert.deepEqual(pids.map(runs), [false, false, false]);
  assert.deepEqual(
    orchestrator.listStreams().map(({ status }) => status.state),
    ['stopped', 'stopped', 'stopped'],
  );
  await assert.rejects(orchestrator.createStream(specOf('d')), code('SL_CLOSED'));
});

test('close() while workers are starting or waiting to restart ends at once', async (t) => {
  for (const mode of ['silent', 'exit']) {
    const { orchestrator } = await startOrchestrator(t, {
      command: fakeWorker(mode, '3'),
      backoff: { baseMs: 60_000, random: () => 1 },
    });
    await orchestrator.createStream(specOf('cam'));
    if (mode === 'exit') await untilState(orchestrator, 'cam', 'backoff');
    const started = performance.now();
    await orchestrator.close();
    assert.ok(performance.now() - started < 1_500);
    assert.equal(orchestrator.workers()[0]!.state, 'stopped');
  }
});

test('close() with a consumer that never goes on says that records were left unread', async (t) => {
  const { orchestrator } = await startOrchestrator(t, { onRecords: () => new Promise(() => {}) });
  await orchestrator.createStream(specOf('cam'));
  await untilState(orchestrator, 'cam', 'live');
  const started = performance.now();
  await orchestrator.close({ drainMs: 500 });
  assert.ok(performance.now() - started < 2_500);
  const last = orchestrator.events.recent().find(({ type }) => type === 'records.unread');
  assert.equal(last!['code'], 'SL_OUTBOX_FULL');
});

test('a secret appears in no view, event, log line or drawing', async (t) => {
  const canary = 'c4n4ry-pass';
  const compiler: Compiler = {
    ...PLAIN_COMPILER,
    stream: (spec) => ({
      pipelineId: spec.id,
      graphs: [graphOf(spec.id, { location: `rtsp://admin:${canary}@10.0.0.9/live` })],
      streams: [{ id: spec.id, spec }],
    }),
  };
  const { orchestrator, lines, dataDir } = await startOrchestrator(t, {
    compiler,
    command: fakeWorker('leak', canary),
  });
  const source = {
    url: `rtsp://admin:${canary}@10.0.0.9/live`,
    query: `http://10.0.0.9/cgi?user=admin&password=${canary}&x=1`,
    password: canary,
    list: [`rtsp://u:${canary}@h/`],
  };
  await orchestrator.createStream(specOf('cam', { source }));
  await untilState(orchestrator, 'cam', 'backoff');
  const dot = await orchestrator.dot('cam');
  assert.match(dot, /\*\*\*/);
  await until('log lines', 3_000, () => {
    return lines.filter((line) => line.includes('Could not open')).length >= 3;
  });
  process.kill(orchestrator.workers()[0]!.pid!, 'SIGKILL');
  await until('the exit', 3_000, () => orchestrator.workers()[0]!.lastExit !== undefined);
  const { spec, status } = orchestrator.getStream('cam');
  assert.deepEqual(spec['source'], {
    url: 'rtsp://***@10.0.0.9/live',
    query: 'http://10.0.0.9/cgi?user=admin&password=***&x=1',
    password: '***',
    list: ['rtsp://***@h/'],
  });
  assert.equal(status.reason!.code, 'SL_WORKER_DIED');
  const everything = JSON.stringify([
    ...[orchestrator.listStreams(), orchestrator.workers(), orchestrator.events.recent(1_000)],
    ...[lines, dot],
  ]);
  assert.ok(!everything.includes(canary));
  // It is kept all the same: the restarted server needs it.
  await orchestrator.close();
  let seen: unknown;
  const again = createOrchestrator({
    dataDir,
    logger: memoryLogger().logger,
    onRecords: () => undefined,
    command: fakeWorker('good'),
    compiler: {
      ...PLAIN_COMPILER,
      stream: (restored) => {
        seen = restored;
        return PLAIN_COMPILER.stream(restored);
      },
    },
  });
  t.after(() => again.close());
  await again.start();
  assert.deepEqual(seen, { id: 'cam', source });
});
