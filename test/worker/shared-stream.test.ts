import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SightlineError } from '../../src/common/errors.ts';
import { SharedStream, type SharedStreamFacts } from '../../src/worker/shared-stream.ts';

const LIMITS = { firstFrameTimeoutMs: 100, stallTimeoutMs: 50, rescueMs: 1_000 };

function stream(facts: Partial<SharedStreamFacts> = {}): SharedStream {
  return new SharedStream({ id: 'cam', file: false, reconnectsItself: true, ...facts }, LIMITS, 0);
}

test('a stream is live with its own first picture and in back-off when they stop', () => {
  const cam = stream();
  assert.deepEqual(cam.check(100), []);
  assert.deepEqual(cam.firstPicture(101), [{ phase: 'live' }]);
  assert.deepEqual(cam.counted(7, 110), []);
  assert.deepEqual(cam.check(160), []);
  assert.deepEqual(cam.check(161), [
    {
      phase: 'backoff',
      code: 'SL_SOURCE_STALLED',
      message:
        'No picture came for 51 ms; the source is connected again inside the running pipeline',
    },
  ]);
  assert.deepEqual(cam.check(500), []);
  // However long it takes: the graph is not started anew for a source that reconnects by itself.
  assert.equal(cam.needsRescue(1e9), false);
  assert.deepEqual(cam.counted(7, 600), []);
  assert.deepEqual(cam.counted(8, 700), [{ phase: 'connecting' }, { phase: 'live' }]);
  assert.equal(cam.silentForMs(710), 10);
});

test('what the source warned of names the cause, before and after the stream is silent', () => {
  const cam = stream();
  const refused = new SightlineError('SL_SOURCE_UNAUTHORIZED', 'The camera refuses the password');
  const vague = new SightlineError('SL_SOURCE_BROKEN', 'No data since 10 s');
  assert.deepEqual(cam.warned(vague, 10), []);
  const [stalled] = cam.check(101);
  assert.ok(stalled?.phase === 'backoff' && stalled.code === 'SL_SOURCE_STALLED');
  assert.match(stalled.message, /No data since 10 s$/);
  const [told] = cam.warned(refused, 120);
  assert.ok(told?.phase === 'backoff' && told.code === 'SL_SOURCE_UNAUTHORIZED');
  assert.deepEqual(cam.warned(refused, 140), []);
  // A general word after a precise one changes nothing.
  assert.deepEqual(cam.warned(vague, 145), []);
  assert.equal(cam.trouble?.code, 'SL_SOURCE_UNAUTHORIZED');
  assert.deepEqual(cam.counted(1, 150), [{ phase: 'connecting' }, { phase: 'live' }]);
  assert.equal(cam.trouble, undefined);
});

test('a source that failed waits for its rescue, unless pictures come after all', () => {
  const cam = stream({ reconnectsItself: false });
  const broken = new SightlineError('SL_SOURCE_BROKEN', 'The decoder gave up');
  cam.firstPicture(0);
  cam.counted(5, 10);
  assert.deepEqual(cam.failed(broken, 20), [
    {
      phase: 'backoff',
      code: 'SL_SOURCE_BROKEN',
      message: 'The decoder gave up',
      retryInMs: 1_000,
    },
  ]);
  // Pictures that were on their way when it failed are no sign of life.
  assert.deepEqual(cam.counted(9, 30), []);
  assert.deepEqual(cam.failed(broken, 40), []);
  // An element that fails ends its stream: that says nothing new.
  assert.deepEqual(cam.ended(45), []);
  assert.deepEqual(cam.counted(9, 50), []);
  assert.equal(cam.needsRescue(1_019), false);
  assert.equal(cam.needsRescue(1_020), true);
  assert.deepEqual(cam.counted(10, 1_030), [{ phase: 'connecting' }, { phase: 'live' }]);
  assert.equal(cam.needsRescue(1e9), false);
});

test('a silent source that does not reconnect by itself is rescued too, and says when', () => {
  const cam = stream({ reconnectsItself: false });
  cam.firstPicture(0);
  const [step] = cam.check(60);
  assert.ok(step?.phase === 'backoff' && step.retryInMs === 1_000);
  assert.equal(cam.needsRescue(1_060), true);
});

test('an error that no retry mends ends the stream alone', () => {
  const cam = stream();
  const useless = new SightlineError('SL_SOURCE_UNSUPPORTED', 'VC-1');
  assert.deepEqual(cam.failed(useless, 10), [
    { phase: 'failed', code: 'SL_SOURCE_UNSUPPORTED', message: 'VC-1' },
  ]);
  assert.equal(cam.over, true);
  assert.deepEqual(cam.check(1e6), []);
  assert.deepEqual(cam.warned(useless, 1e6), []);
});

test('a file ends; one without a picture fails; a camera that ends comes back', () => {
  const file = stream({ file: true, reconnectsItself: false });
  file.firstPicture(0);
  assert.deepEqual(file.ended(10), [
    { phase: 'ended', code: 'SL_SOURCE_ENDED', message: 'The file was read to its end' },
  ]);
  // The last pictures are counted after the end was seen.
  assert.deepEqual(file.counted(100, 20), []);
  assert.equal(file.over, true);

  const empty = stream({ file: true, reconnectsItself: false });
  const [step] = empty.ended(10);
  assert.ok(step?.phase === 'failed' && step.code === 'SL_SOURCE_NOT_VIDEO');

  const camera = stream({ reconnectsItself: false });
  const [gone] = camera.ended(10);
  assert.ok(gone?.phase === 'backoff' && gone.code === 'SL_SOURCE_ENDED');
  assert.equal(camera.over, false);
});
