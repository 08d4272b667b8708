import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RecordKind } from '../../src/common/delivery.ts';
import { metricsOf } from '../support/outbox-metrics.ts';
import {
  ALL,
  ackAll,
  assertConserved,
  idsOf,
  openOutbox,
  record,
  temporaryDir,
  until,
} from './helpers.ts';

// Sinks that come and go while the outbox runs.

const FRAMES = { id: 'frames', kinds: ['frame'] } as const;
const OTHER = { id: 'other', kinds: ['frame'] } as const;
const BOTH = { id: 'both', kinds: ['frame', 'event'] } as const;

function ids(...indexes: number[]): string[] {
  return indexes.map((index) => record(index).recordId);
}

test('a sink added at run time gets what is appended after the call, to the record', async (context) => {
  const dir = temporaryDir(context);
  const outbox = await openOutbox(context, { dir, sinks: [FRAMES] });
  outbox.append(record(1));
  await outbox.flushed();
  outbox.append(record(2));
  const added = outbox.addSink(OTHER);
  outbox.append(record(3));
  await added;
  outbox.append(record(4));
  await outbox.flushed();
  assert.deepEqual(idsOf(await outbox.read('other', ALL)), ids(3, 4));
  assert.deepEqual(idsOf(await outbox.read('frames', ALL)), ids(1, 2, 3, 4));
  assert.deepEqual([outbox.countsOf('other').accepted, outbox.countsOf('frames').accepted], [2, 4]);
  await assert.rejects(outbox.addSink(OTHER), { code: 'SL_CONFLICT' });
  await outbox.close();
  const again = await openOutbox(context, { dir, sinks: [FRAMES, OTHER] });
  assert.deepEqual(idsOf(await again.read('other', ALL)), ids(3, 4));
  for (const { id } of again.stats().sinks) assertConserved(again.countsOf(id));
});

test('a removed sink keeps its backlog and nothing else, and resumes where it was', async (context) => {
  const dir = temporaryDir(context);
  const outbox = await openOutbox(context, {
    dir,
    sinks: [FRAMES, OTHER],
    limits: { cacheBytes: 0 },
  });
  for (const index of [0, 1, 2]) outbox.append(record(index));
  await outbox.flushed();
  const [first, , third] = await outbox.read('other', ALL);
  ackAll(outbox, 'other', [first!, third!]);
  outbox.append(record(3));
  const removed = outbox.removeSink('other');
  outbox.append(record(4));
  await removed;
  outbox.append(record(5));
  await outbox.flushed();
  await assert.rejects(outbox.read('other', ALL), { code: 'SL_NOT_FOUND' });
  await assert.rejects(outbox.removeSink('other'), { code: 'SL_NOT_FOUND' });
  const gone = outbox.stats().sinks.find(({ id }) => id === 'other')!;
  assert.deepEqual([gone.orphaned, gone.accepted, gone.pending], [true, 4, 2]);
  assertConserved(gone);
  const metrics = await metricsOf(outbox);
  assert.equal(metrics('outbox_cursor_lag_records', { sink: 'other' }), 2);
  assert.ok(metrics('outbox_oldest_record_age_seconds', { sink: 'other' }) > 0);
  ackAll(outbox, 'frames', await outbox.read('frames', ALL));
  await outbox.flushed();

  await outbox.addSink(OTHER);
  outbox.append(record(6));
  await outbox.flushed();
  const left = await outbox.read('other', ALL);
  assert.deepEqual(idsOf(left), ids(1, 3, 6), 'neither what it had taken nor what came meanwhile');
  ackAll(outbox, 'other', left);
  ackAll(outbox, 'frames', await outbox.read('frames', ALL));
  assertConserved(outbox.countsOf('other'));
  assert.equal(outbox.countsOf('other').pending, 0);
  await until(() => outbox.stats().bytes === 0, 'nothing is kept for nobody');
});

test('what comes after a removed sink is deleted though its backlog stays', async (context) => {
  const dir = temporaryDir(context);
  const outbox = await openOutbox(context, { dir, sinks: [FRAMES, OTHER] });
  const payload = Buffer.alloc(1000);
  outbox.append(record(0, { payload }));
  await outbox.removeSink('other');
  for (let index = 1; index < 50; index++) {
    outbox.append(record(index, { payload }));
    await outbox.flushed();
  }
  ackAll(outbox, 'frames', await outbox.read('frames', ALL));
  await until(() => outbox.stats().bytes < 2000, 'only the backlog is left');
  await outbox.close();

  const again = await openOutbox(context, { dir, sinks: [FRAMES] });
  assert.equal(again.countsOf('other').pending, 1);
  await again.addSink(OTHER);
  assert.deepEqual(idsOf(await again.read('other', ALL)), ids(0));
  assertConserved(again.countsOf('other'));
});

test('a sink that returns with other kinds leaves the lane of the old kind behind', async (context) => {
  const dir = temporaryDir(context);
  const outbox = await openOutbox(context, { dir, sinks: [BOTH] });
  outbox.append(record(1));
  outbox.append(record(2, { kind: 'event' }));
  await outbox.removeSink('both');
  await outbox.addSink({ id: 'both', kinds: ['event'] satisfies RecordKind[] });
  outbox.append(record(3));
  outbox.append(record(4, { kind: 'event' }));
  await outbox.flushed();
  assert.deepEqual(idsOf(await outbox.read('both', ALL)), ['cam-1/s/2/event', 'cam-1/s/4/event']);
  const counts = outbox.countsOf('both');
  assert.deepEqual([counts.orphaned, counts.pending, counts.accepted], [true, 3, 3]);
  assertConserved(counts);
  await outbox.forget('both');
  assert.deepEqual(outbox.countsOf('both').orphaned, false);
  assert.equal(outbox.countsOf('both').pending, 2);
});

test('a sink forgotten and added again starts anew, at once', async (context) => {
  const outbox = await openOutbox(context, { dir: temporaryDir(context), sinks: [FRAMES, OTHER] });
  outbox.append(record(1));
  await outbox.removeSink('other');
  const forgotten = outbox.forget('other');
  const added = outbox.addSink(OTHER);
  outbox.append(record(2));
  await Promise.all([forgotten, added]);
  await outbox.flushed();
  assert.deepEqual(idsOf(await outbox.read('other', ALL)), ids(2));
  assertConserved(outbox.countsOf('other'));
});

test('a read that waits for the disk when its sink is removed hands out nothing', async (context) => {
  const options = { dir: temporaryDir(context), sinks: [FRAMES, OTHER] };
  const outbox = await openOutbox(context, { ...options, limits: { cacheBytes: 0 } });
  for (const index of [0, 1]) outbox.append(record(index));
  await outbox.flushed();
  const reading = outbox.read('other', ALL);
  const removed = outbox.removeSink('other');
  assert.deepEqual(await reading, []);
  await removed;
  await outbox.addSink(OTHER);
  assert.deepEqual(idsOf(await outbox.read('other', ALL)), ids(0, 1));
});
