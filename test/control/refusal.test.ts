import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Refusal } from '../../src/control/refusal.ts';
import { workerCommand } from '../../src/control/worker-command.ts';
import type { StreamEvent } from '../../src/worker/protocol.ts';
import { refuseWith, startRtspDouble } from '../support/rtsp-double.ts';
import { until } from '../support/wait.ts';
import { cameraGraph, testPictureGraph } from './real-graphs.ts';
import { compiledOf, supervise } from './supervisor-support.ts';

const HOUR_MS = 3_600_000;
const REFUSED = { code: 'SL_SOURCE_UNAUTHORIZED', message: 'no', retryInMs: 300_000 };

function said(phase: StreamEvent['phase'], facts: Partial<StreamEvent> = {}): StreamEvent {
  return { event: 'stream', streamId: 'cam', phase, ...facts };
}

test('however often workers die, a refused password is tried 12 times an hour at most', () => {
  let nowMs = 0;
  const refusal = new Refusal({ monotonicMs: () => nowMs });
  let tries = 0;
  while (nowMs < HOUR_MS) {
    // A worker that lives for 10 s.
    const { wait } = refusal;
    if (wait === undefined) {
      tries += 1;
      refusal.note(said('connecting'));
      // Every other one dies before it has heard the answer.
      if (tries % 2 === 1) refusal.note(said('backoff', REFUSED));
    } else refusal.note(said('backoff', wait));
    nowMs += 10_000;
  }
  assert.equal(tries, 12);
  refusal.note(said('live'));
  assert.equal(refusal.wait, undefined);
  refusal.note(said('backoff', REFUSED));
  assert.deepEqual(refusal.wait, REFUSED);
  refusal.note(said('backoff', { code: 'SL_SOURCE_UNREACHABLE', retryInMs: 900 }));
  assert.equal(refusal.wait, undefined);
});

test('a worker that takes the place of a dead one does not try a refused password again', async (t) => {
  await using double = await startRtspDouble(
    refuseWith('401 Unauthorized', { 'WWW-Authenticate': 'Basic realm="camera"' }),
  );
  const graphs = [cameraGraph('locked', double.url), testPictureGraph('open')];
  const bench = supervise(t, compiledOf('yard', graphs), { command: workerCommand() });
  await bench.untilStates({ locked: 'rejected', open: 'live' }, 20_000);
  const before = double.connections.length;
  assert.ok(before > 0);
  process.kill(bench.supervisor.views()[0]!.pid!, 'SIGKILL');
  const gone = await bench.untilTold('worker.exited');
  await bench.untilTold('stream.live', gone.id);
  const locked = await until('the refused one is rejected again', 10_000, () => {
    const status = bench.supervisor.streams.get('locked')!.status();
    return status.state === 'rejected' && status;
  });
  assert.equal(locked.reason?.code, 'SL_SOURCE_UNAUTHORIZED');
  const inMs = Date.parse(locked.retryAt!) - Date.now();
  assert.ok(inMs > 200_000 && inMs < 300_000, `${inMs} ms`);
  assert.equal(double.connections.length, before);
  // A person who asks for it gets a try.
  await bench.supervisor.recycle({ code: 'SL_CLOSED', message: 'asked for' }, { revive: true });
  await until('another try', 10_000, () => double.connections.length > before);
});
