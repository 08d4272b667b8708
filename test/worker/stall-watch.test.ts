import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StallWatch } from '../../src/worker/stall-watch.ts';
import { sampleOf } from './samples.ts';

const LIMITS = { stalledAfterMs: 2_000, firstFrameTimeoutMs: 15_000 };

/** A stream of 25 pictures a second that was sampled at 1 s. */
function running(): StallWatch {
  const watch = new StallWatch(LIMITS, 0);
  watch.take(sampleOf({ framesArrived: 26, framesDecoded: 25, framesPublished: 24 }), 1_000);
  assert.equal(watch.stall(1_000), undefined);
  return watch;
}

test('a stream is silent after its limit, and the layer is where frames stopped', () => {
  const network = running();
  network.take(sampleOf({ framesArrived: 26, framesDecoded: 25, framesPublished: 25 }), 2_000);
  assert.equal(network.stall(3_000), undefined);
  assert.deepEqual(network.stall(3_001), {
    layer: 'network',
    silentMs: 2_001,
    observed: {
      silentMs: 2_001,
      framesArrived: 0,
      framesDecoded: 0,
      framesInferred: 0,
      framesPublished: 1,
    },
  });

  const decode = running();
  decode.take(sampleOf({ framesArrived: 76, framesDecoded: 25, framesPublished: 25 }), 3_100);
  assert.equal(decode.stall(3_100)?.layer, 'decode');
  assert.equal(decode.stall(3_100)?.observed['framesArrived'], 50);

  // The decoder's pictures are left out before the detector while it is busy.
  const infer = running();
  infer.take(sampleOf({ framesArrived: 76, framesDecoded: 75, framesPublished: 24 }), 3_100);
  assert.equal(infer.stall(3_100)?.layer, 'infer');

  const publish = running();
  const inferred = { framesArrived: 76, framesDecoded: 75, framesPublished: 24 };
  publish.take(sampleOf({ ...inferred, framesInferred: 50 }), 3_100);
  assert.equal(publish.stall(3_100)?.layer, 'publish');

  // A file's decoder waits for the detector: everything stands still, with pictures inside.
  const file = running();
  file.take(sampleOf({ framesArrived: 32, framesDecoded: 31, framesPublished: 25 }), 1_100);
  file.take(sampleOf({ framesArrived: 32, framesDecoded: 31, framesPublished: 25 }), 3_200);
  assert.equal(file.stall(3_200)?.layer, 'infer');
});

test('pictures end the silence', () => {
  const watch = running();
  assert.notEqual(watch.stall(5_000), undefined);
  watch.take(sampleOf({ framesArrived: 27, framesDecoded: 26, framesPublished: 26 }), 5_000);
  assert.equal(watch.stall(5_000), undefined);
});

test('a slow camera and one whose pictures are left out before the decoder are not silent', () => {
  const slow = new StallWatch(LIMITS, 0);
  for (const [pictures, atMs] of [
    [1, 100],
    [2, 5_000],
    [3, 10_000],
  ] as const) {
    slow.take(sampleOf({ framesDecoded: pictures, framesPublished: pictures }), atMs);
    assert.equal(slow.stall(atMs), undefined);
  }
  assert.equal(slow.stall(19_000), undefined);
  assert.equal(slow.stall(20_001)?.layer, 'network');

  const left = running();
  const skipped = { before: 30 };
  left.take(
    sampleOf({ framesArrived: 56, framesDecoded: 25, framesPublished: 25 }, skipped),
    3_500,
  );
  assert.equal(left.stall(3_500), undefined);
});

test('pictures that nobody asked the detector for are not awaited', () => {
  const dropped = running();
  const skips = { behind: 70 };
  dropped.take(
    sampleOf({ framesArrived: 96, framesDecoded: 95, framesPublished: 24 }, skips),
    3_900,
  );
  assert.equal(dropped.stall(3_900), undefined);
});

test('a model has time for its first frame; a graph that counts no frames is not judged by them', () => {
  const first = new StallWatch(LIMITS, 0);
  first.take(sampleOf({ framesArrived: 251, framesDecoded: 250 }), 10_000);
  assert.equal(first.stall(10_000), undefined);
  first.take(sampleOf({ framesArrived: 377, framesDecoded: 376 }), 15_001);
  assert.equal(first.stall(15_001)?.layer, 'infer');

  const uncounted = new StallWatch(LIMITS, 0);
  const sample = sampleOf({ framesDecoded: 400 });
  uncounted.take({ ...sample, counts: { arrived: false, published: false } }, 16_000);
  assert.equal(uncounted.stall(16_000), undefined);
});

test('a recorder that gets frames and writes nothing is a stall of its own; one that says why is none', () => {
  const recording = (offered: number, bytes: number, failure = '') => ({
    ...sampleOf({ framesArrived: offered }),
    recording: { offered, bytes, lastWriteNs: 0, failure },
    undecoded: offered,
  });
  const watch = new StallWatch({ stalledAfterMs: 2_000, firstFrameTimeoutMs: 10_000 }, 0);
  for (let second = 1; second <= 10; second += 1) {
    watch.take(recording(25 * second, 1000 * second), second * 1000);
    assert.equal(watch.stall(second * 1000), undefined);
  }
  for (let second = 11; second <= 30; second += 1) {
    watch.take(recording(25 * second, 10_000, 'No space left on device'), second * 1000);
    assert.equal(watch.stall(second * 1000), undefined, 'it tries again by itself');
  }
  for (let second = 31; second <= 44; second += 1) {
    watch.take(recording(25 * second, 10_000), second * 1000);
    assert.equal(watch.stall(second * 1000), undefined);
  }
  watch.take(recording(25 * 46, 10_000), 46_000);
  const stall = watch.stall(46_000);
  assert.equal(stall?.layer, 'record');
  assert.ok(stall.silentMs > 15_000);
  assert.ok(stall.observed['framesUnwritten']! > 300);
});
