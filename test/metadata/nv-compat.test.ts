import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import protobuf from 'protobufjs';
import { ROOT } from '../../src/common/paths.ts';
import { float32ToJson } from '../../src/metadata/float32.ts';
import { frameToJson } from '../../src/metadata/frame.ts';
import { timestampToRfc3339 } from '../../src/metadata/timestamp.ts';
import { readPluginFrames } from './plugin-frames.ts';
import { encodeFrame, FULL_FRAME, FULL_OBJECT } from './sample-frame.ts';

const schema = protobuf.loadSync(join(ROOT, 'test/metadata/fixtures/nv-frame.proto'));
const NvFrame = schema.lookupType('nv.Frame');

test("a reader that knows only NVIDIA's fields reads every one of them from our bytes", () => {
  const decoded = NvFrame.toObject(NvFrame.decode(encodeFrame(FULL_FRAME)), { longs: String });
  assert.deepEqual(decoded, {
    version: FULL_FRAME.version,
    id: FULL_FRAME.id,
    timestamp: FULL_FRAME.timestamp,
    sensorId: FULL_FRAME.sensorId,
    objects: [
      FULL_OBJECT,
      {
        type: 'car',
        confidence: 0.5,
        bbox: { rightX: 768, bottomY: 576 },
      },
    ],
  });
});

test("the plugin's messages read the same with NVIDIA's fields alone as with ours", async () => {
  const messages = await readPluginFrames(8);
  assert.equal(messages.length, 8);
  let persons = 0;
  for (const [index, bytes] of messages.entries()) {
    const theirs = NvFrame.toObject(NvFrame.decode(bytes));
    const ours = frameToJson(bytes);
    const { timestamp, objects = [], ...head } = theirs;
    assert.deepEqual(head, { version: '4.0', id: String(index), sensorId: 'gate-2' });
    assert.equal(timestampToRfc3339(timestamp), ours.timestamp);
    assert.equal(ours.frameSequence, String(index));
    assert.equal(ours.recordId, `gate/s1/${index}`);
    assert.equal(objects.length, ours.objects.length);
    for (const [position, object] of objects.entries()) {
      const own = ours.objects[position]!;
      assert.deepEqual(
        { ...object, confidence: float32ToJson(object.confidence), bbox: mapFloats(object.bbox) },
        { id: own.id, bbox: own.bbox, type: own.type, confidence: own.confidence },
      );
      assert.match(own.id, /^\d+$/);
      if (own.type === 'person') persons++;
    }
  }
  assert.ok(persons > 8, `${persons} persons in 8 frames of pedestrians`);
});

test("every field of NVIDIA's schema has the same number, type and rule in ours, by whole messages", () => {
  const ours = protobuf.loadSync(join(ROOT, 'proto/sightline/v1/frame.proto'));
  const pairs: readonly (readonly [string, string])[] = [
    ['Frame', 'Frame'],
    ['Object', 'Object'],
    ['Bbox', 'Bbox'],
    ['Embedding', 'Embedding'],
    ['Pose', 'Pose'],
    ['Keypoint', 'Pose.Keypoint'],
    ['Action', 'Pose.Action'],
    ['Gaze', 'Gaze'],
    ['LipActivity', 'LipActivity'],
    ['Coordinate', 'Coordinate'],
    ['Location', 'Location'],
  ];
  for (const [theirs, own] of pairs) {
    const expected = schema.lookupType(`nv.${theirs}`);
    const actual = ours.lookupType(`sightline.v1.${own}`);
    assert.deepEqual(describe(actual), describe(expected), own);
    const extra = actual.fieldsArray.filter((field) => expected.fieldsById[field.id] === undefined);
    assert.ok(
      extra.every((field) => field.id >= 100),
      `${own} adds a field below 100`,
    );
  }
});

function mapFloats(values: Readonly<Record<string, number>>): Record<string, unknown> {
  const sides = { leftX: 0, topY: 0, rightX: 0, bottomY: 0, ...values };
  return Object.fromEntries(
    Object.entries(sides).map(([key, value]) => [key, float32ToJson(value)]),
  );
}

/** Number, name, rule and wire type of the fields below 100. */
function describe(type: protobuf.Type): readonly string[] {
  return type.fieldsArray
    .filter((field) => field.id < 100)
    .map((field) => {
      const kind = field instanceof protobuf.MapField ? `map<${field.keyType}>` : '';
      return `${field.id} ${field.name} ${field.repeated} ${kind}${field.type.split('.').at(-1)}`;
    })
    .sort();
}
