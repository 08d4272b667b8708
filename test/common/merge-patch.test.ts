import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergePatch } from '../../src/common/merge-patch.ts';

/** The objects among the test cases of RFC 7396, appendix A. */
const CASES = [
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
] as const;

test('objects are merged as RFC 7396 says, and both sides stay as they are', () => {
  for (const [target, patch, result] of CASES) {
    const before = JSON.stringify([target, patch]);
    assert.deepEqual(mergePatch(target as Record<string, unknown>, patch), result);
    assert.equal(JSON.stringify([target, patch]), before);
  }
});

test('a key __proto__ changes no prototype', () => {
  const merged = mergePatch({}, JSON.parse('{"__proto__":{"polluted":true}}'));
  assert.equal(({} as { polluted?: boolean }).polluted, undefined);
  assert.deepEqual(Object.keys(merged), ['__proto__']);
});
