import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SightlineError } from '../../src/common/errors.ts';
import { decodeFrame, frameToJson, readFrameHeader } from '../../src/metadata/frame.ts';
import { EXTRA_OBJECT_FIELDS, encodeFrame, FULL_FRAME, FULL_OBJECT } from './sample-frame.ts';

test('frameToJson() maps every field of a full frame without losing a bit', () => {
  assert.deepEqual(frameToJson(encodeFrame(FULL_FRAME)), {
    ...FULL_FRAME,
    timestamp: '2023-11-14T22:13:20.123456789Z',
    objects: [
      { ...FULL_OBJECT, ...EXTRA_OBJECT_FIELDS },
      {
        id: '',
        type: 'car',
        confidence: 0.5,
        bbox: { leftX: 0, topY: 0, rightX: 768, bottomY: 576 },
        classId: 2,
        framesSinceDetection: 0,
      },
    ],
  });
});

test('frameToJson() gives an empty frame the same core shape and leaves out what was never set', () => {
  assert.deepEqual(frameToJson(new Uint8Array()), {
    version: '',
    id: '',
    sensorId: '',
    objects: [],
    streamId: '',
    session: '',
    frameSequence: '0',
    ptsNs: '0',
    captureClock: 'CAPTURE_CLOCK_UNSPECIFIED',
    frameWidth: 0,
    frameHeight: 0,
    inferred: false,
    framesSkipped: '0',
    recordId: '',
  });
});

test('frameToJson() prints an enum value of a later version as its number', () => {
  assert.equal(frameToJson(encodeFrame({ captureClock: 77 })).captureClock, 77);
});

test('frameToJson() leaves out what was not counted', () => {
  const json = frameToJson(
    encodeFrame({
      objects: [{ analytics: { zones: ['bay'] } }, { analytics: { stopped: true } }],
      analytics: { zones: [{ id: 'bay', objects: 1 }] },
    }),
  );
  assert.deepEqual(json.analytics, { zones: [{ id: 'bay', objects: 1, overcrowded: false }] });
  assert.deepEqual(
    json.objects.map(({ analytics }) => analytics),
    [{ zones: ['bay'] }, { stopped: true }],
  );
});

test('frameToJson() takes a decoded frame as well as bytes', () => {
  const bytes = encodeFrame(FULL_FRAME);
  assert.deepEqual(frameToJson(decodeFrame(bytes)), frameToJson(bytes));
});

test('frameToJson() keeps as many decimals of the time as are there', () => {
  const print = (seconds: string, nanos: number) =>
    frameToJson(encodeFrame({ timestamp: { seconds, nanos } })).timestamp;
  assert.equal(print('0', 0), '1970-01-01T00:00:00Z');
  assert.equal(print('1', 20_000_000), '1970-01-01T00:00:01.020Z');
  assert.equal(print('1', 20_001_000), '1970-01-01T00:00:01.020001Z');
  assert.equal(print('-1', 1), '1969-12-31T23:59:59.000000001Z');
  assert.equal(print('253402300799', 0), '9999-12-31T23:59:59Z');
  assert.throws(() => print('253402300800', 0), { code: 'SL_INTERNAL' });
});

test('frameToJson() prints 32-bit floats with the fewest digits that read back the same', () => {
  const values = [0.9, 0.1, 1 / 3, 123.456, 767.9999, 1e-7, 3.4e38, 16_777_215, -0.001, 5e-45];
  for (const value of values) {
    const confidence = Math.fround(value);
    const [object] = frameToJson(encodeFrame({ objects: [{ confidence }] })).objects;
    assert.equal(Math.fround(Number(object?.confidence)), confidence);
    assert.ok(String(object?.confidence).length <= 15, `${value} became ${object?.confidence}`);
  }
  const [object] = frameToJson(encodeFrame({ objects: [{ confidence: 0.9 }] })).objects;
  assert.equal(object?.confidence, 0.9);
});

test('frameToJson() prints what JSON numbers cannot express by name', () => {
  const bbox = { leftX: Number.NaN, topY: Number.POSITIVE_INFINITY, rightX: -Infinity };
  const [object] = frameToJson(encodeFrame({ objects: [{ bbox }] })).objects;
  assert.deepEqual(object?.bbox, {
    leftX: 'NaN',
    topY: 'Infinity',
    rightX: '-Infinity',
    bottomY: 0,
  });
});

test('readFrameHeader() agrees with the full decoder', () => {
  const bytes = encodeFrame({ ...FULL_FRAME, frameSequence: '9007199254740991' });
  assert.deepEqual(readFrameHeader(bytes), {
    streamId: 'gate',
    session: '01HF',
    frameSequence: Number.MAX_SAFE_INTEGER,
    recordId: 'gate/01HF/9007199254740993',
    timestampMs: 1_700_000_000_123,
    objectCount: 2,
  });
  const before1970 = encodeFrame({ timestamp: { seconds: '-2', nanos: 999_999_999 } });
  assert.equal(readFrameHeader(before1970).timestampMs, -1001);
});

test('readFrameHeader() refuses a sequence it could not hold exactly', () => {
  assert.throws(() => readFrameHeader(encodeFrame(FULL_FRAME)), { code: 'SL_INTERNAL' });
});

test('readFrameHeader() and decodeFrame() refuse cut or mangled bytes with our error, never another', () => {
  const bytes = encodeFrame({ ...FULL_FRAME, frameSequence: '12' });
  let refused = 0;
  for (let length = 0; length < bytes.length; length++) {
    for (const read of [readFrameHeader, decodeFrame]) {
      try {
        read(bytes.subarray(0, length));
      } catch (error) {
        assert.ok(error instanceof SightlineError, String(error));
        refused++;
      }
    }
  }
  assert.ok(refused > bytes.length, 'most cuts fall inside a field');
  let seed = 1;
  for (let round = 0; round < 2000; round++) {
    const mangled = Uint8Array.from(bytes);
    seed = (seed * 48_271) % 2_147_483_647;
    mangled[seed % bytes.length] = seed >> 8;
    try {
      readFrameHeader(mangled);
    } catch (error) {
      assert.ok(error instanceof SightlineError, String(error));
    }
  }
});
