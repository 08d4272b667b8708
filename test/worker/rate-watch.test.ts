import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StreamCounters } from '../../src/worker/protocol.ts';
import { RateWatch } from '../../src/worker/rate-watch.ts';
import { sampleOf } from './samples.ts';

/** Feeds a watch once a second with what came in that second. */
class Feed {
  readonly watch = new RateWatch(10_000);
  #atMs = 0;
  #counts: Partial<Record<keyof StreamCounters, number>> = {};

  /** Seconds until `trouble` was seen or was gone; NaN when it stayed as it is. */
  until(
    trouble: boolean,
    seconds: number,
    each: Partial<Record<keyof StreamCounters, number>>,
  ): number {
    for (let second = 1; second <= seconds; second++) {
      this.#atMs += 1_000;
      for (const [name, more] of Object.entries(each)) {
        const key = name as keyof StreamCounters;
        this.#counts[key] = (this.#counts[key] ?? 0) + more;
      }
      this.watch.take(sampleOf(this.#counts), this.#atMs);
      if ((this.watch.trouble !== undefined) === trouble) return second;
    }
    return Number.NaN;
  }
}

const WELL = { framesArrived: 25, framesDecoded: 25, framesPublished: 25 };

test('a camera at less than half of its rate is degraded after the window, and well 30 s later', () => {
  const feed = new Feed();
  assert.ok(Number.isNaN(feed.until(true, 60, WELL)));
  const slow = { framesArrived: 10, framesDecoded: 10, framesPublished: 10 };
  const seconds = feed.until(true, 30, slow);
  // 9 s of 10 pictures and 1 s of 25 are a mean of 11.5.
  assert.equal(seconds, 9);
  assert.deepEqual(feed.watch.trouble, {
    message: 'Pictures come at 11.5 a second; 24.8 are usual',
    observed: { fps: 11.5, usualFps: 24.8 },
  });
  const clean = feed.until(false, 60, WELL);
  assert.ok(clean >= 30 && clean <= 32, `${clean} s`);
});

test('what is damaged on its way is counted, in a stream of fields as well', () => {
  const feed = new Feed();
  const fields = { framesArrived: 50, framesDecoded: 25, framesPublished: 25 };
  assert.ok(Number.isNaN(feed.until(true, 60, fields)));
  const damaged = { framesArrived: 50, framesDecoded: 22, framesPublished: 22 };
  assert.ok(feed.until(true, 20, damaged) < 10);
  assert.match(feed.watch.trouble?.message ?? '', /^\d+ % of what arrives becomes no picture/);
});

test('pictures that are patched up are trouble when most of them are', () => {
  const feed = new Feed();
  assert.ok(Number.isNaN(feed.until(true, 60, { ...WELL, framesCorrupt: 10 })));
  assert.ok(feed.until(true, 20, { ...WELL, framesCorrupt: 24 }) <= 10);
  assert.match(feed.watch.trouble?.message ?? '', /^\d+ % of the pictures are damaged/);
  assert.ok(feed.until(false, 60, WELL) <= 32);
});

test('records that are dropped are trouble; single losses are none', () => {
  const feed = new Feed();
  assert.ok(Number.isNaN(feed.until(true, 40, { ...WELL, framesDecoded: 24.5 })));
  assert.ok(feed.until(true, 10, { ...WELL, recordsDropped: 5 }) <= 10);
  assert.match(feed.watch.trouble?.message ?? '', /% of the records are dropped/);
});

test('a new rate becomes the usual one, by and by or at once when the stream was changed', () => {
  const feed = new Feed();
  feed.until(true, 30, WELL);
  const slow = { framesArrived: 10, framesDecoded: 10, framesPublished: 10 };
  feed.until(true, 30, slow);
  assert.ok(feed.until(false, 1_800, slow) < 600);

  const changed = new Feed();
  changed.until(true, 30, WELL);
  changed.watch.forget();
  assert.ok(Number.isNaN(changed.until(true, 60, { ...slow, framesArrived: 5, framesDecoded: 5 })));
});

test('after a silence nothing is known for one window', () => {
  const feed = new Feed();
  feed.until(true, 30, WELL);
  feed.watch.restart();
  assert.ok(Number.isNaN(feed.until(true, 10, { framesDecoded: 1, framesArrived: 1 })));
  assert.equal(feed.until(true, 2, { framesDecoded: 1, framesArrived: 1 }), 1);
});

test('what the network held for a stream that slept comes at once, and is not taken for usual', () => {
  const feed = new Feed();
  assert.ok(Number.isNaN(feed.until(true, 60, WELL)));
  feed.until(true, 1, { framesArrived: 900, framesDecoded: 900, framesPublished: 900 });
  assert.ok(Number.isNaN(feed.until(true, 60, WELL)));
});
