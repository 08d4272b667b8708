import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SharedDrops } from '../../src/worker/shared-drops.ts';

function published(a: number, b: number, c: number) {
  return new Map([
    ['a', { framesPublished: a }],
    ['b', { framesPublished: b }],
    ['c', { framesPublished: c }],
  ]);
}

test('drops of a shared output are shared out by what was published since, and add up', () => {
  const drops = new SharedDrops(['a', 'b', 'c']);
  assert.deepEqual([...drops.shareOut(0, published(10, 10, 0)).values()], [0, 0, 0]);
  // Since then only b and c published, one and three.
  assert.deepEqual([...drops.shareOut(4, published(10, 11, 3)).values()], [0, 1, 3]);
  // Nobody published: somebody must have them.
  const after = [...drops.shareOut(7, published(10, 11, 3)).values()];
  assert.equal(
    after.reduce((sum, part) => sum + part, 0),
    7,
  );
  for (let i = 1; i <= 100; i++) {
    const shares = [
      ...drops.shareOut(7 + i * 5, published(10 + i, 11 + 2 * i, 3 + 4 * i)).values(),
    ];
    assert.equal(
      shares.reduce((sum, part) => sum + part, 0),
      7 + i * 5,
    );
  }
});

test('a total that falls (a new pipeline) takes nothing back', () => {
  const drops = new SharedDrops(['a', 'b', 'c']);
  drops.shareOut(9, published(3, 3, 3));
  assert.deepEqual([...drops.shareOut(2, published(0, 0, 0)).values()], [3, 3, 3]);
});
