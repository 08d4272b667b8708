import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sightline } from '../../src/gen/frame.js';
import { frameToJson } from '../../src/metadata/frame.ts';
import { ByteWriter } from '../../src/sinks/format/byte-writer.ts';
import { writeFrameLine } from '../../src/sinks/format/frame-line.ts';
import { encodeFrame, FULL_FRAME } from '../metadata/sample-frame.ts';
import { frameRecord } from './samples.ts';

const writer = new ByteWriter();

/** Written behind something else, which must stay. */
function frameLine(bytes: Uint8Array): string {
  writer.truncate(0);
  writer.text('before ');
  const start = writer.length;
  try {
    writeFrameLine(writer, bytes);
  } finally {
    assert.equal(writer.bytes().subarray(0, start).toString(), 'before ');
  }
  return writer.bytes().subarray(start).toString();
}

function assertSame(bytes: Uint8Array): void {
  assert.equal(frameLine(bytes), JSON.stringify(frameToJson(bytes)));
}

function frameWith(objects: readonly object[]): Uint8Array {
  return encodeFrame({ version: '4.0', streamId: 'cam', recordId: 'cam/s/1', objects });
}

test('frame line is the text of the JSON mapping for frames as pipelines make them', () => {
  assertSame(frameRecord(1, { objects: 0 }).payload);
  assertSame(frameRecord(1, { objects: 1 }).payload);
  assertSame(frameRecord(123_456, { objects: 200 }).payload);
  assertSame(new Uint8Array());
  assertSame(frameWith([{}, { bbox: {} }, { classId: 2 ** 31 - 1, framesSinceDetection: 99 }]));
});

test('frame line writes every float as the mapping does', () => {
  const special = [0, -0, 1, -1, 0.1, 0.875, 1e-3, 9.99e-4, 1e-8, 123456.7, 9_999_999, 1e7, 3.4e38];
  const odd = [
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    16_777_217,
    0.3,
    -0.5,
  ];
  const exponents = Array.from({ length: 76 }, (_, index) => 1.2345678 * 10 ** (index - 38));
  const random = Array.from(
    { length: 20_000 },
    () => (Math.random() - 0.2) * 10 ** (Math.random() * 8),
  );
  const all = [...special, ...odd, ...exponents, ...random];
  for (let at = 0; at < all.length; at += 5) {
    const [confidence, leftX, topY, rightX, bottomY] = all.slice(at, at + 5);
    assertSame(frameWith([{ confidence, bbox: { leftX, topY, rightX, bottomY } }]));
  }
});

test('frame line writes the fields around the objects as the mapping does', () => {
  const text = fc.oneof(
    fc.string({ maxLength: 12 }),
    fc.string({ unit: 'grapheme', maxLength: 6 }),
  );
  const uint64 = fc.oneof(
    fc.nat(),
    fc.maxSafeNat(),
    fc.constantFrom(0, 999_999_999, 1e9, 1e9 + 1, 2 ** 53 - 1, 2 ** 53, 2 ** 60),
  );
  const timestamp = fc.record({
    seconds: fc.oneof(fc.integer({ min: -1e9, max: 4e9 }), fc.constantFrom(253_402_300_799)),
    nanos: fc.oneof(
      fc.constantFrom(0, 1, 5_000_000, 120_000, 999_999_999, 100_000_000),
      fc.integer({ min: 0, max: 999_999_999 }),
    ),
  });
  const model = fc.record(
    { name: text, version: text, backend: text, executionProvider: text },
    { requiredKeys: [] },
  );
  const latency = fc.record(
    { decodeNs: uint64, queueNs: uint64, inferNs: uint64, trackNs: uint64, totalNs: uint64 },
    { requiredKeys: [] },
  );
  const frame = fc.record(
    {
      ...{ version: text, id: text, sensorId: text, streamId: text, session: text },
      ...{ tracker: text, imageRef: text, recordId: text, timestamp, model, latency },
      ...{ frameSequence: uint64, ptsNs: uint64, framesSkipped: uint64 },
      captureClock: fc.integer({ min: 0, max: 5 }),
      frameWidth: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      frameHeight: fc.nat({ max: 10_000 }),
      inferred: fc.boolean(),
      epoch: fc.constantFrom(0, 7),
      objects: fc.array(fc.constantFrom({}, { id: '1', type: 'person', confidence: 0.5 }), {
        maxLength: 3,
      }),
      analytics: fc.constant({ zones: [{ id: 'door', objects: 2 }] }),
    },
    { requiredKeys: [], noNullPrototype: true },
  );
  fc.assert(
    fc.property(frame, (one) => assertSame(encodeFrame(one))),
    { numRuns: 500 },
  );
});

test('frame line takes the long way for what it does not know, with the same result', () => {
  assertSame(encodeFrame(FULL_FRAME));
  assertSame(frameWith([{ type: 'quote " slash \\ feed \n', id: 'käse 🧀' }, { classId: -1 }]));
  assertSame(
    frameWith([{ speed: 1.5 }, { info: { zone: 'door' } }, { framesSinceDetection: 2 ** 31 }]),
  );
  const twice = sightline.v1.Object.encode({
    bbox: { leftX: 1 },
  } as object as sightline.v1.IObject).finish();
  const object = Buffer.concat([twice, twice]);
  const frame = Buffer.concat([Buffer.from([0x2a, object.length]), object]);
  assertSame(frame);
});

test('frame line finds the same bytes damaged as the mapping does', () => {
  const whole = Buffer.from(frameRecord(7, { objects: 3 }).payload);
  for (let end = 0; end < whole.length; end++) {
    const cut = whole.subarray(0, end);
    let expected: string | undefined;
    try {
      expected = JSON.stringify(frameToJson(cut));
    } catch {
      assert.throws(() => frameLine(cut), { code: 'SL_INTERNAL' }, `cut at ${end}`);
      continue;
    }
    assert.equal(frameLine(cut), expected, `cut at ${end}`);
  }
});
