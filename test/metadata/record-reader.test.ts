import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DataRecord, RecordReader } from '../../src/metadata/record-reader.ts';
import {
  DATA_KIND_FRAME,
  DATA_KIND_IMAGE,
  MAX_DATA_RECORD_BYTES,
} from '../../src/worker/protocol.ts';

function frameRecord(kind: number, payload: Uint8Array): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt32LE(payload.length, 0);
  header.writeUInt32LE(kind, 4);
  return Buffer.concat([header, payload]);
}

/** Small generator of repeatable numbers in [0, bound). */
function createRandom(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % bound;
  };
}

test('push() yields a record that lies in one chunk as a view of it', () => {
  const chunk = Buffer.concat([
    frameRecord(DATA_KIND_FRAME, Buffer.from('abc')),
    frameRecord(DATA_KIND_IMAGE, Buffer.alloc(0)),
  ]);
  const records = [...new RecordReader().push(chunk)];
  assert.deepEqual(
    records.map(({ kind, payload }) => [kind, payload.toString()]),
    [
      [DATA_KIND_FRAME, 'abc'],
      [DATA_KIND_IMAGE, ''],
    ],
  );
  chunk.write('xyz', 8);
  assert.equal(records[0]?.payload.toString(), 'xyz');
});

test('push() puts records together from any split of the line', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = createRandom(seed);
    const expected: DataRecord[] = Array.from({ length: 1 + random(12) }, () => ({
      kind: 1 + random(2),
      payload: Buffer.from(
        Array.from({ length: random(8) === 0 ? 0 : random(300) }, () => random(256)),
      ),
    }));
    const line = Buffer.concat(expected.map(({ kind, payload }) => frameRecord(kind, payload)));
    const reader = new RecordReader();
    const actual: DataRecord[] = [];
    for (let start = 0; start < line.length; ) {
      const end = Math.min(line.length, start + 1 + random(random(2) === 0 ? 9 : 400));
      actual.push(...reader.push(Uint8Array.from(line.subarray(start, end))));
      start = end;
    }
    assert.deepEqual(actual, expected, `seed ${seed}`);
    assert.equal(reader.pendingBytes, 0);
  }
});

test('push() keeps what a loop that was broken off has not taken', () => {
  const reader = new RecordReader();
  const chunk = Buffer.concat(['a', 'b', 'c'].map((text) => frameRecord(1, Buffer.from(text))));
  for (const { payload } of reader.push(chunk)) {
    assert.equal(payload.toString(), 'a');
    break;
  }
  const rest = [...reader.push(frameRecord(1, Buffer.from('d')))];
  assert.deepEqual(
    rest.map(({ payload }) => payload.toString()),
    ['b', 'c', 'd'],
  );
});

test('push() refuses a record over the limit after yielding those before it, and stays refusing', () => {
  const header = Buffer.alloc(8);
  header.writeUInt32LE(MAX_DATA_RECORD_BYTES + 1, 0);
  header.writeUInt32LE(DATA_KIND_FRAME, 4);
  const reader = new RecordReader();
  const seen: string[] = [];
  assert.throws(
    () => {
      for (const record of reader.push(
        Buffer.concat([frameRecord(1, Buffer.from('ok')), header]),
      )) {
        seen.push(record.payload.toString());
      }
    },
    { code: 'SL_PIPELINE_FAILED', message: /33554433 bytes/ },
  );
  assert.deepEqual(seen, ['ok']);
  assert.throws(() => [...reader.push(Buffer.alloc(0))], { code: 'SL_PIPELINE_FAILED' });
});

test('push() takes a record of exactly the limit', () => {
  const reader = new RecordReader();
  const header = Buffer.alloc(8);
  header.writeUInt32LE(MAX_DATA_RECORD_BYTES, 0);
  header.writeUInt32LE(DATA_KIND_IMAGE, 4);
  assert.deepEqual([...reader.push(header)], []);
  const half = Buffer.alloc(MAX_DATA_RECORD_BYTES / 2, 7);
  assert.deepEqual([...reader.push(half)], []);
  assert.equal(reader.pendingBytes, 8 + half.length);
  const [record] = reader.push(half);
  assert.equal(record?.payload.length, MAX_DATA_RECORD_BYTES);
  assert.equal(record?.payload.at(-1), 7);
});
