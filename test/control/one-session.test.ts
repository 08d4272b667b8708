import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { workerCommand } from '../../src/control/worker-command.ts';
import { makeH264Clip } from '../support/h264-clip.ts';
import { oneSession, wellBehaved } from '../support/hostile-camera.ts';
import { startRtspDouble } from '../support/rtsp-double.ts';
import { until } from '../support/wait.ts';
import { cameraFrames } from './real-graphs.ts';
import { compiledOf, supervise } from './supervisor-support.ts';
import { temporaryFolder } from './support.ts';

/** GStreamer does not hand on the status of a refused SETUP. */
const REFUSED = /^SL_SOURCE_(UNREACHABLE|BROKEN)$/;
const POLICY = { backoffBaseMs: 200, backoffCapMs: 400 };

/** A live stream of a camera that lets one viewer in; the second is refused with `status`. */
async function liveStream(t: TestContext, status: string) {
  const clip = await makeH264Clip(temporaryFolder(t), { keyFrameEvery: 5 });
  const double = await startRtspDouble(oneSession(wellBehaved(clip), status));
  t.after(() => double[Symbol.asyncDispose]());
  const compiled = (sensor: string, environment = {}) => ({
    ...compiledOf('gate', [cameraFrames('cam', double.url, { 'sensor-id': sensor })]),
    policy: POLICY,
    environment,
  });
  const bench = supervise(t, compiled('a'), { command: workerCommand() });
  await bench.untilStates({ cam: 'live' }, 20_000);
  return { ...bench, compiled, since: bench.events.lastId };
}

/** The gap that is told, and that its records are of two sessions, one after the other, with nothing missing in either. */
async function assertOneGap(bench: Awaited<ReturnType<typeof liveStream>>): Promise<void> {
  const gap = await bench.untilTold('stream.gap', bench.since);
  assert.equal(gap.streamId, 'cam');
  assert.match(String(gap['code']), REFUSED);
  assert.ok(Number(gap['gapMs']) > 0);
  await bench.untilStates({ cam: 'live' });
  const idsNow = () => bench.records.map(({ recordId }) => recordId.split('/'));
  // Records come on a line of their own, so that the first may be later than the word of a stream that is live.
  await until('records of another session', 10_000, () => {
    return new Set(idsNow().map(([, session]) => session)).size > 1;
  });
  const ids = idsNow();
  const sessions = [...new Set(ids.map(([, session]) => session))];
  assert.equal(sessions.length, 2);
  for (const session of sessions) {
    const numbers = ids.filter((id) => id[1] === session).map(([, , sequence]) => Number(sequence));
    assert.deepEqual(
      numbers,
      numbers.map((_, index) => index),
    );
  }
}

test('a camera with one session: a restart ends the former worker first, and says how long pictures were missing', async (t) => {
  const bench = await liveStream(t, '453 Not Enough Bandwidth');
  await bench.supervisor.recycle({ code: 'SL_WORKER_BUDGET', message: 'too large' });
  const recycled = await bench.untilTold('worker.recycled', bench.since);
  assert.equal(recycled['gap'], true);
  assert.match(String(recycled['code']), REFUSED);
  assert.match(String(recycled['message']), /did not let the fresh worker in 3 times/);
  await assertOneGap(bench);
});

test('a camera with one session: another graph is started when the former has ended', async (t) => {
  const bench = await liveStream(t, '503 Service Unavailable');
  const [{ pid } = {}] = bench.supervisor.views();
  const report = await bench.supervisor.apply(bench.compiled('b'));
  assert.deepEqual(report, [{ streamId: 'cam', effect: 'restarted' }]);
  await assertOneGap(bench);
  assert.equal(bench.supervisor.views()[0]!.pid, pid);
});

test('a camera with one session: another environment comes with a worker that waits for the end of the former', async (t) => {
  const bench = await liveStream(t, '453 Not Enough Bandwidth');
  const [{ pid } = {}] = bench.supervisor.views();
  const report = await bench.supervisor.apply(
    bench.compiled('a', { CUDA_DEVICE_ORDER: 'PCI_BUS_ID' }),
  );
  assert.deepEqual(report, [{ streamId: 'cam', effect: 'restarted' }]);
  await assertOneGap(bench);
  assert.notEqual(bench.supervisor.views()[0]!.pid, pid);
});

test('a camera that is another one in the new spec is no reason to give up the former', async (t) => {
  const bench = await liveStream(t, '453 Not Enough Bandwidth');
  const elsewhere = compiledOf('gate', [cameraFrames('cam', 'rtsp://127.0.0.1:9/none')]);
  await assert.rejects(bench.supervisor.apply({ ...elsewhere, policy: POLICY }), {
    code: 'SL_SOURCE_UNREACHABLE',
  });
  assert.equal(bench.supervisor.streams.get('cam')!.state, 'live');
});
