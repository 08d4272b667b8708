import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StreamCounts } from '../../src/control/stream-counters.ts';

const WORKER = {};

function counters(framesDecoded: number) {
  return {
    ...{
      framesArrived: 0,
      framesDecoded,
      framesInferred: framesDecoded / 5,
      framesPublished: framesDecoded,
    },
    ...{ framesSkipped: 1, recordsDropped: 2 },
  };
}

test('totals go on over the lives of workers and never fall', () => {
  const counts = new StreamCounts(() => 0);
  counts.report(WORKER, counters(100), 1_000);
  counts.workerGone(WORKER);
  assert.equal(counts.totals(0).framesDecoded, 100);
  counts.report(WORKER, counters(10), 1_000);
  const totals = counts.totals(3);
  assert.equal(totals.framesDecoded, 110);
  assert.equal(totals.framesSkipped, 2);
  assert.equal(totals.recordsDropped, 4);
  assert.equal(totals.reconnects, 3);
});

test('rates are over the last five seconds by the clock of the worker', () => {
  let nowMs = 0;
  const counts = new StreamCounts(() => nowMs);
  for (let second = 0; second <= 10; second++) {
    nowMs = second * 1_000;
    // 100 a second at first, 25 in the last five.
    const decoded = second <= 5 ? second * 100 : 500 + (second - 5) * 25;
    counts.report(WORKER, counters(decoded), 70_000 + nowMs);
  }
  assert.deepEqual(counts.rates(), { decoded: 25, inferred: 5, published: 25 });
});

test('rates are zero when the worker is silent for three seconds, and after it has gone', () => {
  let nowMs = 0;
  const counts = new StreamCounts(() => nowMs);
  counts.report(WORKER, counters(0), 0);
  counts.report(WORKER, counters(50), 1_000);
  assert.equal(counts.rates().decoded, 50);
  nowMs = 3_001;
  assert.equal(counts.rates().decoded, 0);
  nowMs = 0;
  counts.workerGone(WORKER);
  assert.equal(counts.rates().decoded, 0);
});

test('while one worker takes over from another both count, and rates come from the one that speaks', () => {
  const counts = new StreamCounts(() => 0);
  const [old, fresh] = [{}, {}];
  counts.report(old, counters(100), 1_000);
  counts.report(old, counters(125), 2_000);
  counts.report(fresh, counters(0), 7_000, { speaks: false });
  counts.report(fresh, counters(50), 8_000, { speaks: false });
  assert.equal(counts.totals(0).framesDecoded, 175);
  assert.equal(counts.rates().decoded, 25);
  counts.report(fresh, counters(60), 9_000);
  counts.report(fresh, counters(70), 10_000);
  assert.equal(counts.rates().decoded, 10);
  counts.workerGone(old);
  assert.equal(counts.totals(0).framesDecoded, 195);
});

test('a graph that is started anew in the same worker lets no total fall', () => {
  const counts = new StreamCounts(() => 0);
  counts.report(WORKER, counters(100), 1_000);
  counts.report(WORKER, counters(5), 2_000);
  assert.equal(counts.totals(0).framesDecoded, 105);
});

test('frames left out are told by reason, over all workers', () => {
  const counts = new StreamCounts(() => 0);
  const [first, second] = [{}, {}];
  counts.report(first, counters(10), 1_000, { skipped: { busy: 2 } });
  counts.report(first, counters(20), 2_000, { skipped: { busy: 3, 'budget-oldest': 1 } });
  counts.workerGone(first);
  counts.report(second, counters(5), 500, { skipped: { busy: 4 } });
  assert.deepEqual(counts.totals(0).framesSkippedByReason, { busy: 7, 'budget-oldest': 1 });
});
