import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lane } from '../../src/outbox/lane.ts';

test('a sink that keeps up is never old, although something always waits for it', () => {
  const lane = new Lane('a', 'frame', 0);
  lane.accept(1_000);
  for (let seq = 1; seq <= 100; seq += 1) {
    lane.handOut(seq, seq * 1_000);
    lane.accept((seq + 1) * 1_000);
    lane.settle([seq], 'delivered');
    assert.equal(lane.pending, 1);
    assert.equal(lane.oldestMs, seq * 1_000);
  }
  lane.handOut(101, 101_000);
  lane.rewind();
  assert.equal(lane.oldestMs, 101_000);
});
