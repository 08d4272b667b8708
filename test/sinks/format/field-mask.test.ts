import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeFrame, frameToJson } from '../../../src/metadata/frame.ts';
import { FieldMask } from '../../../src/sinks/format/field-mask.ts';
import { encodeFrame, FULL_FRAME } from '../../metadata/sample-frame.ts';
import { frameRecord } from '../samples.ts';

const { payload } = frameRecord(1);

test('a mask keeps what it names, and what tells frames apart', () => {
  const mask = new FieldMask(['objects.bbox.leftX', 'objects.type', 'frameWidth']);
  const pruned = decodeFrame(mask.apply(payload));
  const whole = decodeFrame(payload);
  assert.equal(pruned.recordId, whole.recordId);
  assert.equal(pruned.streamId, whole.streamId);
  assert.deepEqual(pruned.timestamp, whole.timestamp);
  assert.equal(pruned.frameWidth, 768);
  assert.equal(pruned.frameHeight, 0);
  assert.deepEqual(mask.toJson(payload), {
    timestamp: frameToJson(payload).timestamp,
    objects: [
      { type: 'person', bbox: { leftX: 10.5 } },
      { type: 'person', bbox: { leftX: 11.5 } },
    ],
    streamId: 'cam-1',
    frameWidth: 768,
    recordId: 'cam-1/s1/1',
  });
});

test('a mask that names everything changes nothing, however it names it', () => {
  const full = encodeFrame(FULL_FRAME);
  const json = frameToJson(full);
  const mask = new FieldMask([...Object.keys(json), 'objects', 'objects.bbox.leftX']);
  assert.deepEqual(Buffer.from(mask.apply(full)), Buffer.from(full));
  assert.deepEqual(mask.toJson(full), json);
});

test('a field the frame has not is refused by name, with what was probably meant', () => {
  const cases: readonly [string, RegExp][] = [
    ['objets', /objets .*did you mean "objects"/],
    ['objects.bboxes', /objects\.bboxes.*not in Object.*did you mean "bbox"/],
    ['id.x', /id\.x/],
    ['objects.info.zone', /objects\.info\.zone/],
    ['constructor', /constructor/],
  ];
  for (const [name, message] of cases) {
    assert.throws(() => new FieldMask([name]), { code: 'SL_CONFIG_INVALID', message });
  }
});

test('damaged bytes are found', () => {
  const mask = new FieldMask(['objects.type']);
  for (let end = 1; end < payload.byteLength; end += 7) {
    const cut = payload.subarray(0, end);
    let isWhole = true;
    try {
      decodeFrame(cut);
    } catch {
      isWhole = false;
    }
    if (!isWhole) assert.throws(() => mask.apply(cut), { code: 'SL_INTERNAL' }, `cut at ${end}`);
  }
});
