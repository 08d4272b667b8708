import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PendingRecord } from '../../../src/common/delivery.ts';
import { sightline } from '../../../src/gen/frame.js';
import { frameToJson } from '../../../src/metadata/frame.ts';
import { cloudEventHeaders } from '../../../src/sinks/format/cloud-events.ts';
import {
  Formatter,
  type FormatterOptions,
  type Message,
  type MessageSpec,
} from '../../../src/sinks/format/formatter.ts';
import { eventRecord, frameRecord, imageRecord, START_MS, withPayload } from '../samples.ts';

const HEADERS = { headers: true };

function format(
  spec: MessageSpec,
  batch: readonly PendingRecord[],
  options: FormatterOptions = HEADERS,
): readonly Message[] {
  const { messages, rejected } = new Formatter(spec, options).format(batch);
  assert.deepEqual(rejected, []);
  return messages;
}

const text = ({ body }: Message): string => Buffer.from(body).toString();
const json = (message: Message): unknown => JSON.parse(text(message));

test('every record is a message of its own, with what a consumer needs beside the body', () => {
  const batch = [frameRecord(1), imageRecord(2), eventRecord(3)];
  const messages = format({ format: 'json' }, batch);
  assert.deepEqual(
    messages.map(({ indexes, contentType, isText }) => ({ indexes, contentType, isText })),
    [
      { indexes: [0], contentType: 'application/json', isText: true },
      {
        indexes: [1],
        contentType: 'application/x-protobuf; messageType="sightline.v1.Image"',
        isText: false,
      },
      { indexes: [2], contentType: 'application/json', isText: true },
    ],
  );
  assert.deepEqual(json(messages[0]!), frameToJson(batch[0]!.payload));
  assert.deepEqual(messages[0]!.attributes, {
    kind: 'frame',
    recordId: 'cam-1/s1/1',
    streamId: 'cam-1',
    schemaVersion: '1',
    format: 'json',
  });
  assert.deepEqual(
    messages.map(({ attributes }) => attributes['format']),
    ['json', 'protobuf', 'json'],
  );
});

test('a frame that cannot be read is rejected alone', () => {
  const damaged = withPayload(frameRecord(1), Buffer.from([0xff]));
  const specs: MessageSpec[] = [
    { format: 'json' },
    { format: 'deepstream' },
    { format: 'protobuf', fields: ['id'] },
  ];
  for (const spec of specs) {
    const { messages, rejected } = new Formatter(spec, HEADERS).format([damaged, frameRecord(2)]);
    assert.deepEqual(
      rejected.map(({ index, error }) => [index, error.code]),
      [[0, 'SL_SINK_REJECTED']],
    );
    assert.deepEqual(messages[0]?.indexes, [1]);
  }
});

test('frames of a stream go together up to the number and the size, others as they come', () => {
  const batch = [
    frameRecord(1),
    frameRecord(2, { streamId: 'cam-2' }),
    eventRecord(3),
    frameRecord(4),
    frameRecord(5),
    frameRecord(6, { streamId: 'cam-2' }),
  ];
  const messages = format({ format: 'protobuf', framesPerMessage: 2 }, batch);
  assert.deepEqual(
    messages.map(({ indexes, attributes }) => [indexes, attributes['frames']]),
    [
      [[0, 3], '2'],
      [[1, 5], '2'],
      [[2], undefined],
      [[4], '1'],
    ],
  );
  const [first] = messages;
  assert.equal(first!.contentType, 'application/x-protobuf; messageType="sightline.v1.FrameBatch"');
  const { frames } = sightline.v1.FrameBatch.decode(first!.body);
  assert.deepEqual(
    frames.map(({ recordId }) => recordId),
    ['cam-1/s1/1', 'cam-1/s1/4'],
  );
  const size = batch[0]!.payload.byteLength;
  const [one, two] = format({ format: 'protobuf', framesPerMessage: 9 }, batch.slice(3, 5), {
    ...HEADERS,
    maxBytes: size + 10,
  });
  assert.deepEqual([one?.indexes, two?.indexes], [[0], [1]]);
});

test('in turns it gives the same, and lets others have theirs', async () => {
  const batch = Array.from({ length: 2000 }, (_, seq) => frameRecord(seq, { objects: 23 }));
  const formatter = new Formatter({ format: 'json', framesPerMessage: 7 }, HEADERS);
  let turns = 0;
  const ticking = setInterval(() => turns++, 1);
  const inTurns = await formatter.formatInTurns(batch);
  clearInterval(ticking);
  assert.deepEqual(inTurns, formatter.format(batch));
  assert.ok(turns > 0);
});

test('no body with several frames outgrows its limit', () => {
  const batch = Array.from({ length: 300 }, (_, seq) => frameRecord(seq, { objects: seq % 40 }));
  for (const spec of ['protobuf', 'json', 'deepstream'] as const) {
    for (const envelope of [{}, { envelope: 'cloudevents' }] as const) {
      const limits = { framesPerMessage: 100, maxMessageBytes: 16 * 1024 };
      const messages = format({ format: spec, ...limits, ...envelope }, batch, { headers: false });
      const sizes = messages.map(({ body }) => body.byteLength);
      assert.ok(Math.max(...sizes) <= 16 * 1024, `${spec}: ${Math.max(...sizes)}`);
      assert.ok(messages.length < 100, `${spec}: ${messages.length} messages`);
      assert.deepEqual(
        messages.flatMap(({ indexes }) => indexes),
        [...batch.keys()],
      );
    }
  }
});

test('bundles of other frames have other ids, those of the same frames the same', () => {
  const frames = [1, 2, 3, 4].map((seq) => frameRecord(seq));
  const idOf = (...picked: number[]): string =>
    format(
      { format: 'json', framesPerMessage: 9 },
      picked.map((seq) => frames[seq - 1]!),
    )[0]!.recordId;
  assert.equal(idOf(1, 2, 3), idOf(1, 2, 3));
  assert.equal(
    new Set([idOf(1, 2, 3), idOf(1, 2, 4), idOf(1, 2), idOf(1), idOf(1, 2, 3, 4)]).size,
    5,
  );
  assert.equal(idOf(1), 'cam-1/s1/1');
  assert.match(idOf(1, 2, 3), /^cam-1\/s1\/1\+2-[0-9a-f]{16}$/);
});

test('JSON bundles are arrays, of the JSON mapping or of the DeepStream schema', () => {
  const batch = [frameRecord(1), frameRecord(2)];
  const [mapped] = format({ format: 'json', framesPerMessage: 9 }, batch);
  assert.deepEqual(
    json(mapped!),
    batch.map(({ payload }) => frameToJson(payload)),
  );
  const [minimal] = format({ format: 'deepstream', framesPerMessage: 9 }, batch);
  assert.deepEqual(
    (json(minimal!) as { id: string }[]).map(({ id }) => id),
    ['1', '2'],
  );
});

test('CloudEvents in binary mode are attributes; each binding has its names', () => {
  const record = { ...frameRecord(1), streamId: 'käse "1"' };
  const [message] = format({ format: 'protobuf', envelope: 'cloudevents' }, [record]);
  assert.deepEqual(message!.body, record.payload);
  assert.deepEqual(message!.cloudEvent, {
    specversion: '1.0',
    id: 'cam-1/s1/1',
    source: '/sightline/k%C3%A4se%20%221%22',
    type: 'sightline.frame.v1',
    subject: 'käse "1"',
    time: new Date(START_MS + 33).toISOString(),
    schemaversion: '1',
    dataformat: 'protobuf',
  });
  assert.equal(cloudEventHeaders(message!, 'kafka')['ce_id'], 'cam-1/s1/1');
  assert.equal(cloudEventHeaders(message!, 'amqp')['cloudEvents:subject'], 'käse "1"');
  assert.equal(cloudEventHeaders(message!, 'mqtt')['specversion'], '1.0');
  assert.equal(cloudEventHeaders(message!, 'http')['ce-subject'], 'k%C3%A4se%20%221%22');
  const [plain] = format({ format: 'protobuf' }, [record]);
  assert.deepEqual(cloudEventHeaders(plain!, 'kafka'), {});
});

test('CloudEvents in structured mode hold JSON as it is and bytes in base64', () => {
  const record = frameRecord(1);
  const spec = { envelope: 'cloudevents' } as const;
  const [asJson] = format({ format: 'json', ...spec }, [record], { headers: false });
  assert.equal(asJson!.contentType, 'application/cloudevents+json; charset=utf-8');
  assert.ok(asJson!.isText);
  const event = json(asJson!) as Record<string, unknown>;
  assert.equal(event['datacontenttype'], 'application/json');
  assert.deepEqual(event['data'], frameToJson(record.payload));
  const [asBytes] = format({ format: 'protobuf', ...spec }, [record], { headers: false });
  const { data_base64: base64, type, ...rest } = json(asBytes!) as Record<string, string>;
  assert.deepEqual(Buffer.from(base64!, 'base64'), Buffer.from(record.payload));
  assert.equal(type, 'sightline.frame.v1');
  assert.ok(!('data' in rest));
  const [batch] = format({ format: 'json', framesPerMessage: 5, ...spec }, [record]);
  assert.equal(batch!.cloudEvent?.['type'], 'sightline.frames.v1');
});
