import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  asBool,
  asInt,
  asString,
  asUInt,
  find,
  stoi,
} from '../../../src/api/nvidia/conversions.ts';
import { Int, printDigits, Real, type Value } from '../../../src/api/nvidia/json-value.ts';
import { readJson } from '../../../src/api/nvidia/read-json.ts';
import { type Answer, writeJson } from '../../../src/api/nvidia/write-json.ts';
import { ROOT } from '../../../src/common/paths.ts';

type Outcome = { readonly is: string } | { readonly throws: string };
/** What jsoncpp 1.9.5 made of a text. */
interface Row {
  readonly text: string;
  readonly ok: boolean;
  readonly written?: string;
  readonly asUInt?: Outcome;
  readonly asInt?: Outcome;
  readonly asBool?: Outcome;
  readonly asString?: Outcome;
  readonly find?: Outcome;
}

const ROWS = JSON.parse(
  readFileSync(join(ROOT, 'test/api/nvidia/jsoncpp-1.9.5.json'), 'utf8'),
) as readonly Row[];

function outcome(convert: () => unknown): Outcome {
  try {
    return { is: String(convert()) };
  } catch (error) {
    return { throws: (error as Error).message };
  }
}

/** The value as an answer; undefined where an answer cannot hold it (whole numbers beyond 2^53). */
function answerOf(value: Value): Answer | undefined {
  if (value instanceof Int) {
    const number = Number(value.value);
    return Number.isSafeInteger(number) ? number : undefined;
  }
  if (value instanceof Real || value === null || typeof value !== 'object') return value;
  if (value instanceof Map) {
    const entries = [...value].map(([name, item]) => [name, answerOf(item as Value)]);
    return Object.fromEntries(entries) as Answer;
  }
  return (value as readonly Value[]).map(answerOf) as Answer;
}

for (const row of ROWS) {
  test(`jsoncpp on ${JSON.stringify(row.text)}`, () => {
    const value = readJson(row.text);
    assert.equal(value !== undefined, row.ok, 'read or refused');
    if (value === undefined) return;
    const answer = answerOf(value);
    if (row.written !== undefined && answer !== undefined) {
      assert.equal(writeJson(answer), row.written);
    }
    for (const [name, convert] of Object.entries({ asUInt, asInt, asBool, asString })) {
      const expected = row[name as 'asUInt'];
      assert.deepEqual(
        outcome(() => convert(value)),
        expected,
        name,
      );
    }
    const found = outcome(() => (find(value, 'a') === undefined ? 'none' : 'found'));
    assert.deepEqual(found, row.find);
  });
}

test('nesting that would end another process is refused', () => {
  assert.equal(readJson('['.repeat(100_000)), undefined);
  assert.equal(readJson('{"a":'.repeat(100_000)), undefined);
  assert.ok(readJson(`${'['.repeat(100)}${']'.repeat(100)}`));
});

test('std::stoi reads the digits in front, and nothing else', () => {
  for (const [text, number] of [
    ['0', 0],
    [' 12', 12],
    ['+7', 7],
    ['-1', -1],
    ['3abc', 3],
    ['2147483647', 2147483647],
  ] as const) {
    assert.equal(stoi(text), number, text);
  }
  for (const text of ['', 'a', ' ', '-', '2147483648', '99999999999999999999']) {
    assert.throws(() => stoi(text), { message: 'stoi' }, text);
  }
});

test('numbers print as %g does', () => {
  for (const [value, digits, text] of [
    [1, 16, '1'],
    [0.1, 16, '0.1'],
    [0.1, 17, '0.10000000000000001'],
    [29.3, 17, '29.300000000000001'],
    [1e16, 16, '1e+16'],
    [0.0001, 16, '0.0001'],
    [0.00001, 16, '1e-05'],
    [-2.5, 16, '-2.5'],
    [123456, 3, '1.23e+05'],
    [0, 16, '0'],
  ] as const) {
    assert.equal(printDigits(value, digits), text);
  }
});
