import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Outbox } from '../../src/outbox/outbox.ts';
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

const A = { id: 'a', kinds: ['frame', 'image'] } as const;
const B = { id: 'b', kinds: ['frame'] } as const;

async function open(context: TestContext, dir = temporaryDir(context)): Promise<Outbox> {
  return openOutbox(context, { dir, sinks: [A, B], limits: { inlineBytes: 500 } });
}

/** Every record `sinkId` has not seen becomes a dead letter of it. */
async function refuseAll(outbox: Outbox, sinkId: string): Promise<void> {
  await outbox.flushed();
  const error = new Error('not to its taste');
  const read = await outbox.read(sinkId, ALL);
  outbox.ack(
    sinkId,
    read.map((item) => ({ status: 'dead-lettered', record: item, error, attempts: 2 })),
  );
}

function fill(outbox: Outbox, count: number): void {
  for (let index = 0; index < count; index++) {
    outbox.append(record(index, { payload: Buffer.alloc(100, index) }));
  }
}

test('dead letters are listed by pages, one is shown with its payload, some are purged', async (context) => {
  const outbox = await open(context);
  fill(outbox, 5);
  await refuseAll(outbox, 'a');
  await refuseAll(outbox, 'b');
  const all = await outbox.deadLetters();
  assert.equal(all.length, 10);
  const ids = all.map(({ id }) => id);
  assert.deepEqual(
    ids,
    ids.toSorted((x, y) => y - x),
  );
  const page = await outbox.deadLetters({ sinkId: 'a', limit: 2 });
  const next = await outbox.deadLetters({ sinkId: 'a', limit: 9, beforeId: page[1]!.id });
  assert.deepEqual(idsOf4([...page, ...next]), [4, 3, 2, 1, 0]);
  const whole = await outbox.deadLetter(next[0]!.id);
  assert.deepEqual(Buffer.from(whole.payload), Buffer.alloc(100, 2));
  assert.equal(whole.reason, 'not to its taste');

  assert.equal(await outbox.purgeDeadLetters([whole.id, page[0]!.id, 9999]), 2);
  await assert.rejects(outbox.deadLetter(whole.id), { code: 'SL_NOT_FOUND' });
  assert.equal(await outbox.purgeDeadLetters({ sinkId: 'b' }), 5);
  assert.equal((await outbox.deadLetters()).length, 3);
  assert.equal(await outbox.purgeDeadLetters({ sinkId: 'a' }), 3);
  outbox.append(record(9));
  await refuseAll(outbox, 'a');
  const [latest] = await outbox.deadLetters();
  assert.ok(latest!.id > Math.max(...ids), 'an id is not used twice');
});

function idsOf4(letters: readonly { readonly recordId: string }[]): number[] {
  return letters.map(({ recordId }) => Number(recordId.split('/')[2]));
}

test('retried dead letters come back for their sink alone and count anew, also after a restart', async (context) => {
  const dir = temporaryDir(context);
  const outbox = await open(context, dir);
  fill(outbox, 3);
  outbox.append(record(3, { kind: 'image', payload: Buffer.alloc(1000, 3) }));
  await refuseAll(outbox, 'a');
  await outbox.flushed();
  ackAll(outbox, 'b', await outbox.read('b', ALL));
  outbox.append(record(7));
  const letters = await outbox.deadLetters({ sinkId: 'a' });
  const some = letters.filter(({ recordId }) => !recordId.includes('/1/')).map(({ id }) => id);
  assert.deepEqual(await outbox.retryDeadLetters(some), { retried: 3, kept: 0 });
  assert.deepEqual(idsOf4(await outbox.deadLetters()), [1]);
  const counts = outbox.countsOf('a');
  assertConserved(counts);
  assert.deepEqual([counts.accepted, counts.deadLettered, counts.pending], [8, 4, 4]);
  assert.deepEqual(await outbox.retryDeadLetters(some), { retried: 0, kept: 0 });
  await outbox.close();

  const again = await open(context, dir);
  const back = await again.read('a', ALL);
  assert.deepEqual(
    back.map(({ recordId, payload, atMs }) => [recordId, payload.byteLength, payload[0], atMs]),
    [
      [record(7).recordId, 9, 112, 1007],
      [record(0).recordId, 100, 0, 1000],
      [record(2).recordId, 100, 2, 1002],
      [record(3, { kind: 'image' }).recordId, 1000, 3, 1003],
    ],
  );
  assert.deepEqual(idsOf(await again.read('b', ALL)), [record(7).recordId]);
  ackAll(again, 'a', back);
  const { accepted, delivered, deadLettered, deadLetteredByCode } = again.countsOf('a');
  assert.deepEqual([accepted, delivered, deadLettered], [8, 4, 4]);
  assert.deepEqual(deadLetteredByCode, { SL_INTERNAL: 4 });
  assertConserved(again.countsOf('a'));
});

test('all dead letters of a sink are retried, while records keep coming, and only once each', async (context) => {
  const outbox = await open(context);
  fill(outbox, 600);
  await refuseAll(outbox, 'a');
  const both = [outbox.retryDeadLetters({ sinkId: 'a' }), outbox.retryDeadLetters({ sinkId: 'a' })];
  for (let index = 600; index < 700; index++) outbox.append(record(index));
  const [first, second] = await Promise.all(both);
  assert.deepEqual([first!.retried, second!.retried], [600, 0]);
  await outbox.flushed();
  const back = await outbox.read('a', ALL);
  assert.equal(new Set(idsOf(back)).size, 700);
  assert.equal(back.length, 700);
  assert.equal((await outbox.deadLetters()).length, 0);
  assertConserved(outbox.countsOf('a'));
});

test('dead letters of a sink that is gone stay until it is back', async (context) => {
  const outbox = await open(context);
  fill(outbox, 2);
  await refuseAll(outbox, 'a');
  await outbox.removeSink('a');
  assert.deepEqual(await outbox.retryDeadLetters({ sinkId: 'a' }), { retried: 0, kept: 2 });
  await outbox.addSink(A);
  assert.deepEqual(await outbox.retryDeadLetters({ sinkId: 'a' }), { retried: 2, kept: 0 });
  assert.equal((await outbox.read('a', ALL)).length, 2);
});

test('no more is handed out while many bytes of dead letters wait for the disk, and then it goes on', async (context) => {
  const outbox = await open(context);
  const payload = Buffer.alloc(12 * 1024 * 1024, 1);
  for (let index = 0; index < 4; index++) {
    const item = record(index, { kind: 'image', ...(index < 3 && { payload }) });
    assert.ok(outbox.append(item));
    await outbox.flushed();
  }
  let wakeUps = 0;
  outbox.onStored(() => wakeUps++);
  const error = new Error('not to its taste');
  const three = { ...ALL, maxRecords: 3 };
  const read = await outbox.read('a', three);
  assert.equal(read.length, 3);
  outbox.ack(
    'a',
    read.map((item) => ({ status: 'dead-lettered', record: item, error, attempts: 1 })),
  );
  // In the same turn, so that no commit has taken them.
  assert.deepEqual(await outbox.read('a', three), [], 'three of them are more than may wait');
  assert.equal(outbox.countsOf('a').pending, 1);
  await until(() => wakeUps > 0, 'told to go on');
  assert.deepEqual(idsOf(await outbox.read('a', three)), [record(3, { kind: 'image' }).recordId]);
  assert.equal((await outbox.deadLetters()).length, 3);
  assertConserved(outbox.countsOf('a'));
});
