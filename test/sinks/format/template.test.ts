import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Template } from '../../../src/sinks/format/template.ts';
import { encodeFrame } from '../../metadata/sample-frame.ts';
import { eventRecord, frameRecord, START_MS, withPayload } from '../samples.ts';

const RULES = { what: 'the key', maxBytes: 100 };
const fill = (text: string, record = frameRecord(1, { atMs: START_MS })): string =>
  new Template(text, RULES).fill(record);

test('templates are filled from the record, the hour in UTC', () => {
  assert.equal(fill('{streamId}/{kind}s/{yyyy}-{MM}-{dd}/{HH}'), 'cam-1/frames/2026-01-31/13');
  assert.equal(fill('{recordId}'), 'cam-1/s1/1');
  assert.equal(fill('plain'), 'plain');
});

test('class is the label of the surest object, and none where there is none', () => {
  const objects = [
    { type: 'car', confidence: 0.5 },
    { type: 'person', confidence: 0.75 },
  ];
  const payload = encodeFrame({ version: '4.0', objects, model: { name: 'net' } });
  assert.equal(fill('{class}/{model}', withPayload(frameRecord(1), payload)), 'person/net');
  assert.equal(fill('{class}/{model}', frameRecord(1, { objects: 0 })), 'none/none');
  assert.equal(fill('{class}', eventRecord(1)), 'none');
  const damaged = withPayload(frameRecord(1), Buffer.from([0x2a, 0xff]));
  assert.throws(() => fill('{class}', damaged), { code: 'SL_SINK_REJECTED' });
});

test('a name that is not of one record has the stream and the kind alone', () => {
  const values = { streamId: 'cam-1', kind: 'frame' } as const;
  assert.equal(new Template('{streamId}/{kind}', RULES).fill(values), 'cam-1/frame');
  for (const text of ['{recordId}', '{HH}', '{class}']) {
    assert.throws(() => new Template(text, RULES).fill(values), { code: 'SL_CONFIG_INVALID' });
  }
});

test('values are escaped, the text around them is not', () => {
  const rules = { ...RULES, escape: (value: string) => value.replaceAll('/', '%2F') };
  assert.equal(new Template('a/{recordId}', rules).fill(frameRecord(7)), 'a/cam-1%2Fs1%2F7');
});

test('what cannot be filled is refused when it is made, what gets too long when it is filled', () => {
  for (const text of ['{stream}', 'a{', 'a}', '{streamId}}', '{}']) {
    assert.throws(() => new Template(text, RULES), { code: 'SL_CONFIG_INVALID' }, text);
  }
  const long = new Template('{recordId}', { ...RULES, maxBytes: 5 });
  assert.throws(() => long.fill(frameRecord(1)), { code: 'SL_SINK_REJECTED' });
});
