import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deepStreamJson, sixDigits } from '../../../src/sinks/format/deepstream.ts';
import { encodeFrame } from '../../metadata/sample-frame.ts';
import { frameRecord } from '../samples.ts';

test('a frame in the minimal schema of DeepStream', () => {
  const frame = encodeFrame({
    version: '4.0',
    id: '957',
    timestamp: { seconds: 1523422799, nanos: 828_999_999 },
    sensorId: 'HWY_20_AND_LOCUST',
    recordId: 'a/b/957',
    objects: [
      {
        id: '957',
        bbox: { leftX: 1834, topY: 150.25, rightX: 1918.123456, bottomY: 1234567 },
        type: 'Vehicle',
        confidence: 0.8,
        classifications: [{ label: 'sedan' }, { label: 'blue|grey' }],
      },
      { bbox: {}, type: 'Person', confidence: 0.5 },
    ],
  });
  assert.equal(
    deepStreamJson(frame),
    '{"version":"4.0","id":"957","@timestamp":"2018-04-11T04:59:59.828Z",' +
      '"sensorId":"HWY_20_AND_LOCUST","objects":[' +
      '"957|1834|150.25|1918.12|1.23457e+06|Vehicle|#|sedan|blue/grey|0.8",' +
      '"18446744073709551615|0|0|0|0|Person"]}',
  );
});

test('frames without classifiers give the same by the short way', () => {
  const { payload } = frameRecord(7, { objects: 5 });
  // The long way is taken for a time that needs more than 31 bits.
  const far = { version: '4.0', timestamp: { seconds: 4e9, nanos: 5e6 }, id: '1', sensorId: 'a|b' };
  const box = { leftX: 0.5, topY: -3, rightX: 1e7, bottomY: 2 };
  const objects = [{ id: '1', bbox: box, type: 'x|y' }];
  assert.equal(
    deepStreamJson(payload),
    '{"version":"4.0","id":"7","@timestamp":"2026-01-31T13:00:00.231Z","sensorId":"cam-1","objects":[' +
      [0, 1, 2, 3, 4].map((at) => `"${at + 1}|${10.5 + at}|20.25|110.75|220.5|person"`).join() +
      ']}',
  );
  assert.equal(
    deepStreamJson(encodeFrame({ ...far, objects })),
    '{"version":"4.0","id":"1","@timestamp":"2096-10-02T07:06:40.005Z","sensorId":"a|b",' +
      '"objects":["1|0.5|-3|1e+07|2|x/y"]}',
  );
});

test('numbers have six significant digits, as printf writes %g', () => {
  const expected: readonly [number, string][] = [
    [0, '0'],
    [-0, '-0'],
    [1, '1'],
    [-2.5, '-2.5'],
    [100000, '100000'],
    [999999.4, '999999'],
    [999999.6, '1e+06'],
    [123456.789, '123457'],
    [0.0001, '0.0001'],
    [0.00012345678, '0.000123457'],
    [0.00001, '1e-05'],
    [1.5e-7, '1.5e-07'],
    [3.4e38, '3.4e+38'],
    [1e100, '1e+100'],
    [0.1, '0.1'],
    // Halves, exact in binary: to the even digit.
    [1234.625, '1234.62'],
    [1234.875, '1234.88'],
    [123456.5, '123456'],
    [9.9999955, '10'],
    [-0.25, '-0.25'],
    [Math.fround(0.3), '0.3'],
    [0.0123456789, '0.0123457'],
    [999998.5, '999998'],
    [Number.POSITIVE_INFINITY, 'inf'],
    [Number.NaN, 'nan'],
  ];
  for (const [value, text] of expected) assert.equal(sixDigits(value), text);
});
