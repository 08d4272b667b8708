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

test('records settled in any order, over gaps and long runs, move the cursor to the first open one', () => {
  const lane = new Lane('a', 'frame', 0);
  const seqs: number[] = [];
  // Of every 700 numbers 100 are of another kind.
  for (let seq = 1; seq <= 3_000; seq++) if (seq % 700 >= 100 || seq < 100) seqs.push(seq);
  lane.accept(1_000, seqs.length);
  for (const seq of seqs) lane.handOut(seq, 1_000 + Math.floor(seq / 250));
  const [oldest] = seqs;
  const later = seqs.slice(1).toSorted((a, b) => ((a * 7919) % 3_001) - ((b * 7919) % 3_001));
  lane.settle(later.slice(0, 1_000), 'delivered');
  assert.equal(lane.cursor, oldest! - 1);
  assert.deepEqual(
    lane.takeRow().ahead,
    later.slice(0, 1_000).toSorted((a, b) => a - b),
  );
  lane.settle([...later.slice(0, 1_000), 700, 4_000], 'delivered');
  assert.equal(lane.delivered, 1_000, 'a second fate, or one of a foreign record, does not count');

  lane.settle([oldest!], 'filtered');
  const settled = new Set([oldest!, ...later.slice(0, 1_000)]);
  const open = seqs.filter((seq) => !settled.has(seq));
  assert.equal(lane.cursor, open[0]! - 1);
  assert.deepEqual(
    seqs.map((seq) => lane.isOpen(seq)),
    seqs.map((seq) => !settled.has(seq)),
  );

  lane.rewind();
  assert.deepEqual(
    seqs.filter((seq) => lane.wants(seq)),
    open,
    'what is settled is not handed out again',
  );
  for (const seq of open) lane.handOut(seq, 1_000);
  lane.settle(open, 'delivered');
  lane.passTo(seqs.at(-1)!);
  assert.equal(lane.cursor, seqs.at(-1));
  assert.deepEqual([lane.pending, lane.takeRow().ahead], [0, []]);
});
