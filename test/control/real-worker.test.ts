import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import type { OutboxRecord } from '../../src/common/delivery.ts';
import type { Orchestrator } from '../../src/control/types.ts';
import { workerCommand } from '../../src/control/worker-command.ts';
import { programArgs } from '../support/programs.ts';
import { until } from '../support/wait.ts';
import { cameraGraph, TEST_PICTURES, testPictureGraph } from './real-graphs.ts';
import {
  runs,
  specOf,
  startOrchestrator,
  temporaryFolder,
  untilState,
  untilTold,
} from './support.ts';

const REAL = { command: workerCommand(), compiler: TEST_PICTURES };
/** The second core may be busy with other tests. */
const LIVE_WITHIN_MS = 15_000;

function workerPid(orchestrator: Orchestrator): number {
  return orchestrator.workers()[0]!.pid!;
}

test('a real worker makes a stream live; its frames and pictures arrive and belong together', async (t) => {
  const { orchestrator, records } = await startOrchestrator(t, REAL);
  await orchestrator.createStream(specOf('cam'));
  await untilState(orchestrator, 'cam', 'live', LIVE_WITHIN_MS);
  await until('a picture with its frame and rates', 10_000, () => {
    const { fps } = orchestrator.getStream('cam').status;
    return orchestrator.getLatestImage('cam')?.frame !== undefined && fps.published > 0;
  });
  const image = orchestrator.getLatestImage('cam')!;
  assert.deepEqual([image.width, image.height, image.contentType], [64, 48, 'image/jpeg']);
  assert.deepEqual([...image.data.subarray(0, 2)], [0xff, 0xd8]);
  assert.equal(image.frame!.frameSequence, image.frameSequence);
  assert.equal(image.frame!.imageRef, image.ref);
  const { status } = orchestrator.getStream('cam');
  assert.equal(status.session, image.session);
  const frames = records.filter(({ kind }) => kind === 'frame');
  const ids = frames.map(({ recordId }) => recordId);
  assert.deepEqual(
    ids,
    ids.map((_, index) => `cam/${status.session}/${index}`),
  );
  assert.match(await orchestrator.dot('cam'), /^digraph/);
  const [worker] = orchestrator.workers();
  assert.ok(worker!.rssBytes! > 10e6);
  await orchestrator.removeStream('cam');
  assert.equal(worker!.lastExit, undefined);
  assert.equal(runs(worker!.pid!), false);
});

test('a killed real worker: backoff with SL_WORKER_DIED, then live with a new session and growing totals', async (t) => {
  const { orchestrator, records } = await startOrchestrator(t, REAL);
  await orchestrator.createStream(specOf('cam'));
  await untilState(orchestrator, 'cam', 'live', LIVE_WITHIN_MS);
  await until('counted frames', 5_000, () => {
    return orchestrator.getStream('cam').status.counters.framesPublished > 0;
  });
  const before = orchestrator.getStream('cam').status;
  const afterId = orchestrator.events.lastId;
  process.kill(workerPid(orchestrator), 'SIGSEGV');
  const backoff = await untilTold(orchestrator, 'stream.backoff', afterId);
  assert.equal(backoff['code'], 'SL_WORKER_DIED');
  assert.match(String(backoff['message']), /SIGSEGV/);
  const { fps, objects } = orchestrator.getStream('cam').status;
  assert.deepEqual([fps, objects], [{ decoded: 0, inferred: 0, published: 0 }, {}]);
  await untilTold(orchestrator, 'stream.live', afterId);
  const received = records.length;
  await until('more records', 5_000, () => records.length > received + 5);
  await until('more frames than before', 5_000, () => {
    const { framesPublished } = orchestrator.getStream('cam').status.counters;
    return framesPublished > before.counters.framesPublished;
  });
  assert.notEqual(orchestrator.getStream('cam').status.session, before.session);
  const ids = records.map(({ recordId }) => recordId);
  assert.equal(new Set(ids).size, ids.length);
});

test('a graph that cannot be built rejects its stream once and for all', async (t) => {
  const { orchestrator } = await startOrchestrator(t, {
    ...REAL,
    compiler: {
      ...TEST_PICTURES,
      stream: (spec) => ({
        pipelineId: spec.id,
        graphs: [testPictureGraph(spec.id, { 'no-such-property': 1 })],
        streams: [{ id: spec.id, spec }],
      }),
    },
  });
  await orchestrator.createStream(specOf('cam'));
  await untilState(orchestrator, 'cam', 'rejected', LIVE_WITHIN_MS);
  const { reason } = orchestrator.getStream('cam').status;
  assert.match(reason!.message, /no-such-property/);
  await until('no worker', 5_000, () => orchestrator.workers()[0]!.state === 'stopped');
});

test('a camera that cannot be reached is never live: connecting, then backoff with the reason', async (t) => {
  const canary = 'c4n4ry-pass';
  const location = `rtsp://admin:${canary}@127.0.0.1:9/live`;
  const { orchestrator, lines } = await startOrchestrator(t, {
    ...REAL,
    compiler: {
      ...TEST_PICTURES,
      stream: (spec) => ({
        pipelineId: spec.id,
        graphs: [cameraGraph(spec.id, location)],
        streams: [{ id: spec.id, spec }],
      }),
    },
  });
  await orchestrator.createStream(specOf('cam', { url: location }));
  await untilState(orchestrator, 'cam', 'backoff', LIVE_WITHIN_MS);
  const { reason, retryAt, attempt } = orchestrator.getStream('cam').status;
  assert.equal(reason!.code, 'SL_SOURCE_UNREACHABLE');
  assert.ok(retryAt !== undefined && attempt >= 1);
  await orchestrator.removeStream('cam');
  const events = orchestrator.events.recent();
  assert.ok(!events.some(({ type }) => type === 'stream.live'));
  assert.ok(!JSON.stringify([events, lines, orchestrator.workers()]).includes(canary));
});

test('a frozen real worker (SIGSTOP) is ended within the limits of close()', async (t) => {
  const { orchestrator } = await startOrchestrator(t, REAL);
  await orchestrator.createStream(specOf('cam'));
  await untilState(orchestrator, 'cam', 'live', LIVE_WITHIN_MS);
  const pid = workerPid(orchestrator);
  process.kill(pid, 'SIGSTOP');
  const started = performance.now();
  await orchestrator.close({ drainMs: 1_000 });
  assert.ok(performance.now() - started < 3_500);
  assert.equal(runs(pid), false);
  assert.equal(orchestrator.workers()[0]!.lastExit!.signal, 'SIGKILL');
});

test('a consumer that holds back for a while stops no video, and what was held back arrives in order', async (t) => {
  const records: OutboxRecord[] = [];
  let release = () => {};
  let holding = false;
  const { orchestrator } = await startOrchestrator(t, {
    ...REAL,
    onRecords: (batch) => {
      records.push(...batch);
      if (holding || records.length < 3) return;
      holding = true;
      return new Promise((resolve) => {
        release = resolve;
      });
    },
  });
  await orchestrator.createStream(specOf('cam'));
  await until('the consumer holds back', LIVE_WITHIN_MS, () => holding);
  const held = records.length;
  const decoded = () => orchestrator.getStream('cam').status.counters.framesDecoded;
  await until('video goes on', 10_000, () => decoded() > 40);
  assert.equal(records.length, held);
  release();
  await until('what was held back', 5_000, () => records.length > held + 40);
  const { recordsDropped } = orchestrator.getStream('cam').status.counters;
  assert.equal(recordsDropped, 0, 'two seconds of records fit between the pipeline and the line');
  const frames = records.filter(({ kind }) => kind === 'frame').map(({ recordId }) => recordId);
  const sequences = frames.map((id) => Number(id.split('/')[2]));
  assert.deepEqual(
    sequences,
    sequences.map((_, index) => index),
  );
});

test('when the control process is killed no worker is left, not even a frozen one; a new one goes on', async (t) => {
  const folder = temporaryFolder(t);
  for (const freeze of [false, true]) {
    const { control, pid } = await controlProcess(folder);
    t.after(() => control.kill('SIGKILL'));
    assert.ok(runs(pid));
    if (freeze) process.kill(pid, 'SIGSTOP');
    control.kill('SIGKILL');
    await once(control, 'exit');
    await until('the worker is gone', 3_000, () => !runs(pid));
  }
});

async function controlProcess(folder: string) {
  const args = [...programArgs('test/control/fixtures/control-main.ts'), folder];
  const control = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  control.stdout.on('data', (chunk) => {
    text += chunk;
  });
  const pid = await until('the stream of the control process is live', 30_000, () => {
    return text.includes('\n') && Number(text.trim());
  });
  return { control, pid: Number(pid) };
}
