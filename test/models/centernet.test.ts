import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { before, test } from 'node:test';
import type { ActivationForm } from '../../src/models/convert/backbone.ts';
import { convertCenternet } from '../../src/models/convert/convert-centernet.ts';
import { readClipFrames } from './clip-frames.ts';
import { CENTERNET_JSON, difference, OnnxModel, type Row, runOriginal } from './runtimes.ts';

const SIZE = { width: 512, height: 512 };
const FRAMES = 6;

let frames: Uint8Array[];

before(async () => {
  frames = await readClipFrames(FRAMES, SIZE);
  assert.equal(frames.length, FRAMES);
  assert.ok(frames.every((frame) => frame.length === 512 * 512 * 3));
});

async function load(activation: ActivationForm, size = SIZE): Promise<OnnxModel> {
  return OnnxModel.load(await convertCenternet(CENTERNET_JSON, { ...size, activation }), size);
}

async function runOneByOne(model: OnnxModel): Promise<Row[][]> {
  const results: Row[][] = [];
  for (const frame of frames) results.push(...(await model.run([frame])));
  return results;
}

/** What two runs may differ by. */
const PIXELS = 1e-3;
const SCORE = 1e-5;

/**
 * Every row of one is in the other, at its place by score. Which of two rows whose scores differ by less than runs may
 * comes first is open, and so whether the one or the other is the last of the hundred.
 */
function assertSameRows(expected: readonly Row[][], actual: readonly Row[][]): void {
  expected.forEach((rows, frame) => {
    const found = actual[frame]!;
    assert.equal(found.length, rows.length);
    for (const [index, { score }] of found.entries()) {
      assert.ok(index === 0 || score <= found[index - 1]!.score, `row ${index} by score`);
    }
    const open = new Set(found);
    const last = Math.max(rows.at(-1)!.score, found.at(-1)!.score);
    for (const row of rows) {
      const match = [...open].find((other) => {
        const { pixels, score } = difference(row, other);
        return pixels < PIXELS && score < SCORE;
      });
      if (match === undefined && row.score < last + SCORE) continue;
      assert.ok(match !== undefined, `frame ${frame}: no match for ${JSON.stringify(row)}`);
      open.delete(match);
    }
  });
}

test('the literal form gives what TensorFlow.js gives, row by row', async () => {
  const expected = await runOriginal(frames);
  const actual = await runOneByOne(await load('literal'));
  assertSameRows(expected, actual);
  const persons = expected
    .flat()
    .filter(({ classId, score }) => classId === 0 && score > 0.3).length;
  assert.ok(persons >= FRAMES, `only ${persons} persons in ${FRAMES} pictures of pedestrians`);
});

test('the shipped form gives the same set of rows as the literal form with an exact sixth', async () => {
  const expected = await runOneByOne(await load('literal-exact'));
  const actual = await runOneByOne(await load('hard-sigmoid'));
  assertSameRows(expected, actual);
});

test('a batch gives exactly what its pictures give one by one', async () => {
  const model = await load('hard-sigmoid');
  assert.deepEqual(await model.run(frames.slice(0, 3)), (await runOneByOne(model)).slice(0, 3));
});

test('rows are in pixels of the input at every size that ships', async () => {
  for (const size of [
    { width: 512, height: 384 },
    { width: 320, height: 320 },
  ]) {
    const [picture] = await readClipFrames(1, size);
    const [rows] = await (await load('hard-sigmoid', size)).run([picture!]);
    const persons = rows!.filter((row) => row.classId === 0 && row.score > 0.3);
    assert.ok(persons.length > 0, `no person at ${size.width}x${size.height}`);
    for (const { corners } of persons) {
      const [left, top, right, bottom] = corners;
      assert.ok(left < right && top < bottom);
      assert.ok(left > -8 && top > -8, `a person of ${corners}`);
      assert.ok(right < size.width + 8 && bottom < size.height + 8, `a person of ${corners}`);
      assert.ok(bottom - top > size.height / 50, `a person of ${corners}`);
      assert.ok(right - left < size.width / 2, `a person of ${corners}`);
    }
  }
});

test('convertCenternet() gives the same bytes each time', async () => {
  const hashes = await Promise.all(
    [1, 2].map(async () =>
      createHash('sha256')
        .update(await convertCenternet(CENTERNET_JSON, SIZE))
        .digest('hex'),
    ),
  );
  assert.equal(hashes[0], hashes[1]);
});

test('convertCenternet() refuses sizes that the network cannot halve five times', async () => {
  for (const [width, height] of [
    [500, 512],
    [512, 0],
    [512, 2080],
    [Number.NaN, 512],
  ] as const) {
    await assert.rejects(convertCenternet(CENTERNET_JSON, { width, height }), {
      code: 'SL_MODEL_INVALID',
      message: /multiples of 32/,
    });
  }
});
