import assert from 'node:assert/strict';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readBlackBox } from '../../src/common/black-box.ts';
import { camera, pictures } from '../gst/graphs.ts';
import { refuseWith, startRtspDouble } from '../support/rtsp-double.ts';
import { until } from '../support/wait.ts';
import { WorkerHarness } from './worker-harness.ts';

const SLOT_BYTES = 512;

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sightline-black-box-'));
});
after(() => rm(folder, { recursive: true }));

/** Runs a worker with a black box until `work` is done and it was killed; the file as it was left. */
async function afterDeath(
  signal: NodeJS.Signals,
  work: (worker: WorkerHarness) => Promise<unknown>,
): Promise<Buffer> {
  const path = join(folder, signal);
  const file = await open(path, 'w+', 0o600);
  try {
    await using worker = await WorkerHarness.launch({ blackBox: file.fd });
    await work(worker);
    worker.child.kill(signal);
    assert.equal((await worker.exited(2_000)).signal, signal);
  } finally {
    await file.close();
  }
  return readFile(path);
}

test('what a worker did can be read after it was killed', async () => {
  const startedNs = process.hrtime.bigint();
  const file = await afterDeath('SIGKILL', async (worker) => {
    await worker.start([pictures('cam', { 'is-live': true })]);
    await worker.phase('cam', 'live');
    await worker.request('dot', { graphId: 'cam' });
  });
  assert.equal(file.length, 256 * 1024);
  const entries = readBlackBox(file);
  const texts = entries.map(({ text }) => text);
  const order = [
    'request start cam',
    'stream cam connecting',
    'stream cam live',
    'request dot cam',
  ].map((text) => texts.findIndex((line) => line.startsWith(text)));
  assert.ok(order.every((at) => at >= 0));
  assert.deepEqual(
    order,
    [...order].sort((a, b) => a - b),
  );
  assert.ok(entries.some(({ kind, text }) => kind === 'bus' && text.includes('"to":"playing"')));
  for (const { monotonicNs } of entries) {
    assert.ok(monotonicNs > startedNs && monotonicNs < process.hrtime.bigint());
  }
});

test('GStreamer’s words on a camera are kept through a crash, its password is not', async () => {
  await using double = await startRtspDouble(
    refuseWith('401 Unauthorized', { 'WWW-Authenticate': 'Basic realm="camera"' }),
  );
  const location = double.url.replace('//', '//joe:battery-staple@');
  const file = await afterDeath('SIGSEGV', async (worker) => {
    await worker.start([camera('cam', { location }, ['location'])]);
    await worker.phase('cam', 'backoff');
  });
  const entries = readBlackBox(file);
  assert.ok(
    entries.some(({ kind, level, text }) => {
      return kind === 'log' && level === 'warning' && text.startsWith('rtspsrc source: ');
    }),
  );
  assert.ok(entries.some(({ kind, text }) => kind === 'bus' && text.includes('"type":"error"')));
  assert.doesNotMatch(file.toString('latin1'), /battery-staple/);
});

test('the ring keeps the newest lines, and a line that was cut off is left out', async () => {
  const file = await afterDeath('SIGABRT', async (worker) => {
    await worker.start([pictures('cam', { 'is-live': true })]);
    const last = 'x'.repeat(600);
    for (let i = 0; i < 700; i++) void worker.request('dot', { graphId: `none-${i}` }, 20_000);
    await worker.request('dot', { graphId: `short ${last}` }, 20_000);
    await until('all answers', 5_000, () => worker.replies.length === 702);
  });
  const entries = readBlackBox(file);
  const texts = entries.map(({ text }) => text);
  assert.equal(entries.length, 511);
  // Cut at a blank, so that nobody meets the half of a word that is secret.
  assert.ok(texts.at(-1) === 'request dot short', texts.at(-1));
  assert.equal(texts.at(-2), 'request dot none-699');
  assert.ok(!texts.includes('request dot none-100'));

  const slot = file.indexOf('request dot none-699') - 24;
  assert.equal(slot % SLOT_BYTES, 0);
  for (const [at, length] of [
    [0, 8],
    [24, 4],
  ] as const) {
    const torn = Buffer.from(file);
    torn.fill(0, slot + at, slot + at + length);
    const left = readBlackBox(torn).map(({ text }) => text);
    assert.deepEqual(
      left,
      texts.filter((text) => text !== 'request dot none-699'),
    );
  }
});

test('what is no black box has no lines', () => {
  for (const file of [Buffer.alloc(0), Buffer.alloc(4096), Buffer.from('SLBB0001'.repeat(100))]) {
    assert.deepEqual(readBlackBox(file), []);
  }
});
