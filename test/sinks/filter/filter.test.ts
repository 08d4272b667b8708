import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkValue } from '../../../src/common/check.ts';
import type { DeliveryResult, PendingRecord, Sink } from '../../../src/common/delivery.ts';
import { SightlineError } from '../../../src/common/errors.ts';
import { decodeFrame } from '../../../src/metadata/frame.ts';
import { FilteredSink } from '../../../src/sinks/filter/filtered-sink.ts';
import type { When } from '../../../src/sinks/filter/spec.ts';
import { createSink } from '../../../src/sinks/registry.ts';
import { SinkSpec } from '../../../src/sinks/specs.ts';
import { encodeFrame } from '../../metadata/sample-frame.ts';
import {
  eventRecord,
  frameRecord,
  imageRecord,
  NO_LIMIT,
  statuses,
  withPayload,
} from '../samples.ts';

const ACCEPTED: DeliveryResult = { status: 'accepted' };

/** Keeps what it is given, and answers as told. */
class KeepingSink implements Sink {
  readonly id = 'kept';
  readonly type = 'test';
  readonly kinds = ['frame', 'image', 'event'] as const;
  readonly limits = { maxRecords: 100, maxBytes: 1e6, maxWaitMs: 0 };
  readonly batches: (readonly PendingRecord[])[] = [];
  answer: (batch: readonly PendingRecord[]) => DeliveryResult[] = (batch) =>
    batch.map(() => ACCEPTED);

  async deliver(batch: readonly PendingRecord[]): Promise<readonly DeliveryResult[]> {
    this.batches.push(batch);
    return this.answer(batch);
  }

  async close(): Promise<void> {}

  get sequences(): number[] {
    return this.batches.flat().map(({ seq }) => seq);
  }
}

function filtered(when: When): { kept: KeepingSink; sink: FilteredSink } {
  const kept = new KeepingSink();
  return { kept, sink: new FilteredSink(kept, when) };
}

interface Thing {
  id?: string;
  type?: string;
  confidence?: number;
  zones?: string[];
  lines?: string[];
  parent?: number;
}

function frame(seq: number, things: readonly Thing[], atMs?: number): PendingRecord {
  const record = frameRecord(seq, atMs === undefined ? {} : { atMs });
  const objects = things.map(({ zones, lines, ...rest }) => ({
    ...rest,
    ...(zones || lines ? { analytics: { zones, linesCrossed: lines } } : {}),
  }));
  const { recordId, streamId } = record;
  return withPayload(record, encodeFrame({ version: '4.0', streamId, recordId, objects }));
}

async function passes(when: When, records: readonly PendingRecord[]): Promise<number[]> {
  const { kept, sink } = filtered(when);
  await sink.deliver(records, NO_LIMIT);
  return kept.sequences;
}

test('conditions on objects hold for one and the same object', async () => {
  const frames = [
    frame(1, []),
    frame(2, [{ type: 'person', confidence: 0.4 }]),
    frame(3, [{ type: 'person', confidence: 0.9 }]),
    frame(4, [{ type: 'car', confidence: 0.9, zones: ['door'] }]),
    frame(5, [{ type: 'person', confidence: 0.4, zones: ['yard', 'door'], lines: ['gate'] }]),
  ];
  assert.deepEqual(await passes({ classes: ['person'] }, frames), [2, 3, 5]);
  assert.deepEqual(await passes({ classes: ['person'], minConfidence: 0.5 }, frames), [3]);
  assert.deepEqual(await passes({ zones: ['door'] }, frames), [4, 5]);
  assert.deepEqual(await passes({ zones: ['door'], classes: ['person'] }, frames), [5]);
  assert.deepEqual(await passes({ lines: ['gate', 'other'] }, frames), [5]);
  assert.deepEqual(await passes({ hasObjects: true }, frames), [2, 3, 4, 5]);
  assert.deepEqual(await passes({ hasObjects: false }, frames), [1]);
  assert.deepEqual(await passes({ hasObjects: false, classes: ['person'] }, frames), [1, 4]);
});

test('a frame may keep the matching objects alone, with its parents right', async () => {
  const { kept, sink } = filtered({ classes: ['person', 'face'], objects: 'matching' });
  const record = frame(1, [
    { id: '1', type: 'car' },
    { id: '2', type: 'person' },
    { id: '3', type: 'plate', parent: 1 },
    { id: '4', type: 'face', parent: 2 },
    { id: '5', type: 'face', parent: 1 },
  ]);
  await sink.deliver([record], NO_LIMIT);
  const sent = decodeFrame(kept.batches[0]![0]!.payload);
  assert.deepEqual(
    sent.objects.map(({ id, parent }) => [id, parent]),
    [
      ['2', 0],
      ['4', 1],
      ['5', 0],
    ],
  );
  assert.equal(sent.recordId, record.recordId);
});

test('changes alone: another set of objects, or a heartbeat', async () => {
  const a = { id: '1', type: 'person', confidence: 0.5 };
  const b = { id: '2', type: 'person' };
  const frames = [
    frame(1, [a], 1000),
    frame(2, [{ ...a, confidence: 0.9 }], 1100),
    frame(3, [b, a], 1200),
    frame(4, [a, b], 1300),
    frame(5, [], 1400),
    frame(6, [], 6399),
    frame(7, [], 6400),
    frame(8, [], 7000),
    // The clock stepped back by an hour: better one too many than none for an hour.
    frame(9, [], 7000 - 3_600_000),
  ];
  assert.deepEqual(await passes({ changesOnly: true }, frames), [1, 3, 5]);
  assert.deepEqual(await passes({ changesOnly: true, heartbeatMs: 5000 }, frames), [1, 3, 5, 7, 9]);
});

test('a rate holds for each stream, in capture time, and a change is not lost to it', async () => {
  const steady = Array.from({ length: 90 }, (_, seq) =>
    frameRecord(seq, { atMs: 1000 + seq * 100, streamId: seq % 3 === 0 ? 'cam-2' : 'cam-1' }),
  );
  const { kept, sink } = filtered({ maxPerSecond: 2 });
  await sink.deliver(steady, NO_LIMIT);
  for (const streamId of ['cam-1', 'cam-2']) {
    const sent = kept.batches.flat().filter((record) => record.streamId === streamId);
    // Nine seconds of two each, and the two that may come at once.
    assert.ok(sent.length >= 18 && sent.length <= 20, `${streamId}: ${sent.length}`);
  }
  const changed = [
    frame(1, [{ id: '1' }], 1000),
    frame(2, [{ id: '2' }], 1100),
    frame(3, [{ id: '2' }], 2100),
    frame(4, [{ id: '2' }], 3200),
  ];
  assert.deepEqual(await passes({ changesOnly: true, maxPerSecond: 1 }, changed), [1, 3]);
});

test('events go by their type, pictures always, and damaged frames are left to the sink', async () => {
  const event = (seq: number, type: string): PendingRecord =>
    withPayload(eventRecord(seq), Buffer.from(JSON.stringify({ type })));
  const damaged = withPayload(frameRecord(9), Buffer.from([0x2a, 0xff]));
  const records = [
    event(1, 'stream.started'),
    event(2, 'camera.away'),
    event(3, 'streamXstarted'),
    imageRecord(4),
    damaged,
    withPayload(eventRecord(5), Buffer.from('no json')),
  ];
  const when: When = { types: ['stream.*', 'worker.died'], classes: ['person'] };
  assert.deepEqual(await passes(when, records), [1, 4, 9, 5]);
});

test('every sink with `when` has the filter in front of it, others have not', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'sightline-filter-'));
  const spec = { id: 'files', type: 'file', dir: folder };
  const make = async (more: object): Promise<Sink> => {
    const sink = await createSink(checkValue({ ...spec, ...more }, SinkSpec), { baseDir: '/' });
    context.after(() => sink.close());
    return sink;
  };
  context.after(() => rm(folder, { recursive: true, force: true }));
  const batch = [frame(1, [{ type: 'car' }]), frame(2, [{ type: 'person' }])];
  const chosen = await make({ when: { classes: ['person'] } });
  assert.deepEqual(statuses(await chosen.deliver(batch, NO_LIMIT)), ['filtered', 'accepted']);
  const all = await make({ dir: join(folder, 'all') });
  assert.deepEqual(statuses(await all.deliver(batch, NO_LIMIT)), ['accepted', 'accepted']);
});

test('a record is judged once: retries neither pass twice nor are filtered the second time', async () => {
  const { kept, sink } = filtered({ changesOnly: true });
  const batch = [frame(1, [{ id: '1' }]), frame(2, [{ id: '1' }]), frame(3, [{ id: '2' }])];
  const error = new SightlineError('SL_SINK_UNAVAILABLE', 'down');
  kept.answer = () => {
    throw error;
  };
  await assert.rejects(sink.deliver(batch, NO_LIMIT), error);
  kept.answer = (records) =>
    records.map(({ seq }) => (seq === 1 ? ACCEPTED : { status: 'retry', error }));
  assert.deepEqual(statuses(await sink.deliver(batch, NO_LIMIT)), [
    'accepted',
    'filtered',
    'retry',
  ]);
  kept.answer = (records) => records.map(() => ACCEPTED);
  assert.deepEqual(statuses(await sink.deliver([batch[2]!], NO_LIMIT)), ['accepted']);
  assert.deepEqual(
    kept.batches.map((records) => records.map(({ seq }) => seq)),
    [[1, 3], [1, 3], [3]],
  );
  const again = await sink.deliver([frame(4, [{ id: '2' }])], NO_LIMIT);
  assert.deepEqual(statuses(again), ['filtered']);
  assert.equal(kept.batches.length, 3);
});
