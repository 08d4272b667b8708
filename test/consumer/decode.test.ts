import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  decodeMessage,
  fromAmqp,
  fromHttp,
  fromKafka,
  fromMqtt,
  readFile,
  SeenRecords,
  type SightlineRecord,
} from '../../src/consumer/index.ts';
import { frameToJson } from '../../src/metadata/frame.ts';
import { cloudEventHeaders } from '../../src/sinks/format/cloud-events.ts';
import { Formatter, type Message, type MessageSpec } from '../../src/sinks/format/formatter.ts';
import { encodeDelimited } from '../../src/sinks/format/length-delimited.ts';
import {
  eventRecord,
  frameRecord,
  imageRecord,
  segmentKey,
  segmentRecord,
} from '../sinks/samples.ts';

const BATCH = [frameRecord(1), imageRecord(2, 50), eventRecord(3), frameRecord(4, { objects: 0 })];

function specs(): MessageSpec[] {
  const formats = ['protobuf', 'json', 'deepstream'] as const;
  return formats.flatMap((format) =>
    [1, 2].flatMap((framesPerMessage) => [
      { format, framesPerMessage },
      { format, framesPerMessage, envelope: 'cloudevents' as const },
    ]),
  );
}

/** As the sinks of each transport send it. */
const TRANSPORTS: Readonly<Record<string, (message: Message) => SightlineRecord[]>> = {
  'kafka, texts': (m) =>
    fromKafka({
      value: Buffer.from(m.body),
      headers: {
        ...m.attributes,
        'content-type': m.contentType,
        ...cloudEventHeaders(m, 'kafka'),
      },
    }),
  'kafka, buffers in a list': (m) =>
    fromKafka({
      value: Buffer.from(m.body),
      headers: Object.entries({ ...m.attributes, ...cloudEventHeaders(m, 'kafka') }).map(
        ([name, value]) => ({ [name]: Buffer.from(value) }),
      ),
    }),
  'kafka, buffers in a map': (m) =>
    fromKafka({
      value: Buffer.from(m.body),
      headers: new Map(
        Object.entries(m.attributes).map(([name, value]) => [
          Buffer.from(name),
          Buffer.from(value),
        ]),
      ),
    }),
  'kafka, envelope alone': (m) =>
    fromKafka({ value: Buffer.from(m.body), headers: cloudEventHeaders(m, 'kafka') }),
  mqtt: (m) =>
    fromMqtt(m.body, {
      properties: {
        contentType: m.contentType,
        userProperties: { ...m.attributes, ...cloudEventHeaders(m, 'mqtt') },
      },
    }),
  'mqtt 3.1.1': (m) => fromMqtt(m.body),
  amqp: (m) =>
    fromAmqp({
      content: m.body,
      properties: {
        contentType: m.contentType,
        headers: { ...m.attributes, ...cloudEventHeaders(m, 'amqp') },
      },
    }),
  http: (m) =>
    fromHttp(m.body, {
      'content-type': m.contentType,
      'sightline-record-id': m.recordId,
      'sightline-kind': m.kind,
      ...cloudEventHeaders(m, 'http'),
    }),
  sqs: (m) =>
    decodeMessage(Buffer.from(m.body).toString(m.isText ? 'utf8' : 'base64'), {
      ...Object.fromEntries(
        Object.entries(m.attributes).map(([name, StringValue]) => [name, { StringValue }]),
      ),
      contentType: { StringValue: m.contentType },
      ...(m.isText ? {} : { encoding: { StringValue: 'base64' } }),
    }),
};

function summary(record: SightlineRecord): unknown {
  const { kind, recordId, streamId } = record;
  return { kind, recordId, streamId };
}

test('every format and envelope is read from every transport, whole', () => {
  for (const spec of specs()) {
    for (const headers of [true, false]) {
      const { messages } = new Formatter(spec, { headers }).format(BATCH);
      for (const [name, read] of Object.entries(TRANSPORTS)) {
        const what = `${JSON.stringify(spec)} headers ${headers}, ${name}`;
        const records = messages.flatMap(read);
        const frames = records.filter(({ kind }) => kind === 'frame' || kind === 'deepstream');
        assert.equal(records.length, 4, what);
        assert.equal(frames.length, 2, what);
        for (const [index, { frame }] of frames.entries() as Iterable<
          [number, { frame: unknown }]
        >) {
          const original = frameToJson([BATCH[0]!, BATCH[3]!][index]!.payload);
          if (spec.format !== 'deepstream') assert.deepEqual(frame, original, what);
          else {
            const { id, objects } = frame as { id: string; objects: { type: string }[] };
            assert.equal(id, original.id, what);
            assert.deepEqual(
              objects.map(({ type }) => type),
              original.objects.map(({ type }) => type),
              what,
            );
          }
        }
        const image = records.find(({ kind }) => kind === 'image');
        assert.deepEqual(
          image && summary(image),
          { kind: 'image', recordId: 'cam-1/s1/2/image', streamId: 'cam-1' },
          what,
        );
        assert.ok(image?.kind === 'image' && image.data.byteLength === 50, what);
        const event = records.find(({ kind }) => kind === 'event');
        assert.ok(event?.kind === 'event' && event.event['zone'] === 'door', what);
      }
    }
  }
});

test('the ids of frames are their own, also in batches', () => {
  for (const spec of specs().filter(({ format }) => format !== 'deepstream')) {
    const { messages } = new Formatter(spec, { headers: true }).format(BATCH);
    const ids = messages
      .flatMap(TRANSPORTS['sqs']!)
      .map(({ recordId }) => recordId)
      .sort();
    assert.deepEqual(ids, ['cam-1/events/3', 'cam-1/s1/1', 'cam-1/s1/2/image', 'cam-1/s1/4']);
  }
});

test('an object of DeepStream is taken apart', () => {
  const object = '7|10.5|20|30|40|Vehicle|#|sedan|blue|0.8';
  const json = { version: '4.0', id: '5', '@timestamp': 't', sensorId: 's', objects: [object] };
  const [record] = decodeMessage(JSON.stringify(json));
  assert.deepEqual(record?.kind === 'deepstream' && record.frame.objects, [
    {
      ...{ id: '7', leftX: 10.5, topY: 20, rightX: 30, bottomY: 40, type: 'Vehicle' },
      ...{ labels: ['sedan', 'blue'], confidence: 0.8 },
    },
  ]);
});

test('an event tells its own id where nothing else does', () => {
  const event = { id: 7, type: 'stream.away', streamId: 'cam-1' };
  const idOf = (value: object): string | undefined =>
    decodeMessage(JSON.stringify(value))[0]?.recordId;
  assert.equal(idOf(event), 'event/7');
  assert.equal(idOf({ ...event, recordId: 'event/9' }), 'event/9');
  assert.equal(decodeMessage(JSON.stringify(event))[0]?.streamId, 'cam-1');
});

test('what no sink sends is refused', () => {
  for (const body of ['hello', '{', '[1]', '{"recordId":""}', Buffer.from([1, 2, 3]), '']) {
    assert.throws(() => decodeMessage(body), { code: 'SL_MESSAGE_INVALID' }, String(body));
  }
  assert.deepEqual(fromKafka({ value: null }), []);
});

test('files of the file sink are read, without what is cut off', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'sightline-consumer-'));
  context.after(() => rm(folder, { recursive: true }));
  const frames = Array.from({ length: 3000 }, (_, seq) => frameRecord(seq));
  const lines = frames.map(({ payload }) => `${JSON.stringify(frameToJson(payload))}\n`).join('');
  const delimited = encodeDelimited(frames.map(({ payload }) => payload));
  const cases: readonly [string, Uint8Array, number][] = [
    ['a.ndjson', Buffer.from(lines), 3000],
    ['cut.ndjson', Buffer.from(lines).subarray(0, -1), 2999],
    ['a.pb', delimited, 3000],
    ['cut.pb', delimited.subarray(0, -1), 2999],
    ['empty.pb', Buffer.alloc(0), 0],
  ];
  for (const [name, bytes, count] of cases) {
    await writeFile(join(folder, name), bytes);
    const ids: string[] = [];
    for await (const { recordId } of readFile(join(folder, name))) ids.push(recordId);
    assert.deepEqual(
      ids,
      frames.slice(0, count).map(({ recordId }) => recordId),
      name,
    );
  }
});

test('seen records are forgotten oldest first', () => {
  const seen = new SeenRecords(2);
  for (const id of ['a', 'b', 'a', 'c']) seen.add(id);
  assert.deepEqual(
    ['a', 'b', 'c'].map((id) => seen.has(id)),
    [true, false, true],
  );
  assert.equal(seen.size, 2);
});

test('a recorded segment is read from every transport, whole', () => {
  for (const spec of specs()) {
    for (const headers of [true, false]) {
      const { messages } = new Formatter(spec, { headers }).format([segmentRecord({ frames: 3 })]);
      for (const [name, read] of Object.entries(TRANSPORTS)) {
        const what = `${JSON.stringify(spec)} headers ${headers}, ${name}`;
        const [record, ...others] = messages.flatMap(read);
        assert.deepEqual(others, [], what);
        assert.ok(record?.kind === 'segment', what);
        const { key, start, frames, epoch } = record.segment;
        assert.deepEqual(
          { key, start, epoch, recordId: record.recordId },
          { key: segmentKey(), start: '2026-01-31T13:00:00Z', epoch: '7', recordId: segmentKey() },
          what,
        );
        assert.deepEqual(frames[2], {
          ...{ frameSequence: '102', ptsNs: '10066666666', captureNs: '1769864400066666666' },
          ...{ captureClock: 'CAPTURE_CLOCK_RTCP_SENDER_REPORT', byteOffset: '11000' },
          ...{ sizeBytes: 4990, keyFrame: false },
        });
      }
    }
  }
});
