import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deepStreamJson, sixDigits } from '../../../src/sinks/format/deepstream.ts';
import { encodeFrame } from '../../metadata/sample-frame.ts';

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
    [Number.POSITIVE_INFINITY, 'inf'],
    [Number.NaN, 'nan'],
  ];
  for (const [value, text] of expected) assert.equal(sixDigits(value), text);
});
