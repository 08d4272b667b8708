import assert from 'node:assert/strict';
import test from 'node:test';
import { Type } from 'typebox';
import { checkValue } from '../../src/common/check.ts';
import { SightlineError } from '../../src/common/errors.ts';
import { nearMatches } from '../../src/common/near.ts';
import { defaulted, redact, secretString, strictObject, tagged } from '../../src/common/schema.ts';

const Login = strictObject({
  type: Type.Literal('login'),
  url: Type.String(),
  password: secretString(),
});
const Open = strictObject({ type: Type.Literal('open'), level: defaulted(Type.Integer(), 1) });
const Door = tagged('type', [Login, Open]);
const House = strictObject({
  doors: Type.Array(Door),
  byName: defaulted(
    Type.Record(Type.String({ pattern: '^[a-z]+$' }), Door, { additionalProperties: false }),
    {},
  ),
});

test('checkValue() checks records by the pattern of their keys, tagged unions inside too', () => {
  const value = { doors: [], byName: { front: { type: 'open' } } };
  assert.deepEqual(checkValue(value, House), {
    doors: [],
    byName: { front: { type: 'open', level: 1 } },
  });
  assert.throws(
    () => checkValue({ doors: [], byName: { FRONT: { type: 'open' }, back: {} } }, House),
    (error: unknown) => {
      assert.ok(error instanceof SightlineError);
      assert.deepEqual(error.problems, [
        { pointer: '/byName/FRONT', message: 'unknown key "FRONT"' },
        { pointer: '/byName/back', message: '"type" is missing: one of "login", "open"' },
      ]);
      return true;
    },
  );
});

test('checkValue() leaves its input alone and states code and subject', () => {
  const input = Object.freeze({ doors: Object.freeze([Object.freeze({ type: 'open' })]) });
  assert.deepEqual(checkValue(input, House).doors, [{ type: 'open', level: 1 }]);
  assert.throws(() => checkValue(5, House, { code: 'SL_REQUEST_INVALID', subject: 'the body' }), {
    code: 'SL_REQUEST_INVALID',
    message: 'Cannot use the body: must be an object, not a number',
  });
});

test('checkValue() keeps own keys named like parts of Object.prototype apart', () => {
  const value = JSON.parse('{"doors": [], "__proto__": {"polluted": true}, "toString": 1}');
  assert.throws(
    () => checkValue(value, House),
    (error: unknown) => {
      assert.ok(error instanceof SightlineError);
      assert.deepEqual(
        error.problems.map(({ pointer }) => pointer),
        ['/__proto__', '/toString'],
      );
      return true;
    },
  );
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
});

test('checkValue() sums up a flood of problems', () => {
  const doors = Array.from({ length: 5000 }, () => 1);
  assert.throws(
    () => checkValue({ doors }, House),
    (error: unknown) => {
      assert.ok(error instanceof SightlineError);
      assert.equal(error.problems.length, 101);
      assert.equal(error.problems[100]?.message, 'and 4900 more problems');
      return true;
    },
  );
});

test('checkValue() escapes pointers, and hostile keys and values in messages', () => {
  const value = { doors: [], 'a/b~c\u202e\n': 1 };
  assert.throws(
    () => checkValue(value, House),
    (error: unknown) => {
      assert.ok(error instanceof SightlineError);
      assert.deepEqual(error.problems, [
        { pointer: '/a~1b~0c\u202e\n', message: 'unknown key "a/b~c\\u202e\\n"' },
      ]);
      return true;
    },
  );
});

test('redact() hides secrets by schema and credentials in every URL', () => {
  const value = {
    doors: [{ type: 'login', url: 'rtsp://u:hunter2@h', password: 'hunter2' }],
    byName: { front: { type: 'login', url: 'x', password: 'hunter2' } },
  };
  assert.deepEqual(redact(value, House), {
    doors: [{ type: 'login', url: 'rtsp://[redacted]@h', password: '[redacted]' }],
    byName: { front: { type: 'login', url: 'x', password: '[redacted]' } },
  });
});

const NEAR: readonly [string, string[], string[]][] = [
  ['persn', ['person', 'car'], ['person']],
  ['Person', ['person'], ['person']],
  ['truk', ['truck', 'tree', 'trunk'], ['truck', 'trunk']],
  ['trakcer', ['tracker'], ['tracker']],
  ['zebra', ['car', 'bus'], []],
  ['', ['a'], ['a']],
  ['x'.repeat(1000), ['x'], []],
];
for (const [word, known, expected] of NEAR) {
  test(`nearMatches(${JSON.stringify(word.slice(0, 10))}) is ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(nearMatches(word, known), expected);
  });
}
