import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Outbox } from '../../src/outbox/outbox.ts';
import {
  ALL,
  ackAll,
  assertConserved,
  idsOf,
  openOutbox,
  record,
  SMALL,
  temporaryDir,
  until,
} from './helpers.ts';

const A = { id: 'a', kinds: ['frame'] } as const;
const B = { id: 'b', kinds: ['frame'] } as const;

test('a record goes to its sinks alone, over a restart too, and leaves the disk when they have it', async (context) => {
  const dir = temporaryDir(context);
  const sinks = [A, B];
  const first = await Outbox.open({ dir, sinks, limits: SMALL });
  const everybody = record(0);
  const onlyA = record(1);
  for (const item of [everybody, { ...onlyA, sinks: ['a'] }, { ...record(2), sinks: [] }]) {
    assert.equal(first.append(item), true);
  }
  assert.equal(first.stats().unrouted, 1);
  await first.flushed();
  await first.close();
  const outbox = await openOutbox(context, { dir, sinks });
  assert.deepEqual([outbox.countsOf('a').pending, outbox.countsOf('b').pending], [2, 1]);
  const forA = await outbox.read('a', ALL);
  const forB = await outbox.read('b', ALL);
  assert.deepEqual(idsOf(forA), [everybody.recordId, onlyA.recordId]);
  assert.deepEqual(idsOf(forB), [everybody.recordId]);
  ackAll(outbox, 'a', forA);
  ackAll(outbox, 'b', forB);
  for (const id of ['a', 'b']) assertConserved(outbox.countsOf(id));
  assert.deepEqual(
    [outbox.countsOf('a').accepted, outbox.countsOf('b').accepted],
    [2, 1],
    'accepted is what was accepted for the sink',
  );
  await until(() => outbox.stats().bytes === 0, 'nothing is left on the disk');
});

test('a stream whose sinks change keeps the order of its records', async (context) => {
  const outbox = await openOutbox(context, { dir: temporaryDir(context), sinks: [A, B] });
  const routes = [['a'], undefined, ['a'], ['a', 'b'], undefined, ['b', 'a']];
  const items = routes.map((sinks, index) => ({
    ...record(index),
    ...(sinks === undefined ? {} : { sinks }),
  }));
  for (const item of items) outbox.append(item);
  await outbox.flushed();
  assert.deepEqual(idsOf(await outbox.read('a', ALL)), idsOf(items));
  assert.deepEqual(
    idsOf(await outbox.read('b', ALL)),
    idsOf(items.filter((_, index) => routes[index]?.includes('b') !== false)),
  );
});

test('what is shed for one sink is no loss of another that it was not for', async (context) => {
  const outbox = await openOutbox(context, {
    dir: temporaryDir(context),
    sinks: [A, B],
    limits: { maxBytes: 64 * 1024, commitIntervalMs: 0 },
  });
  for (let index = 0; index < 60; index++) {
    const payload = Buffer.alloc(4096, index);
    const item = { ...record(index, { payload }), sinks: [index % 3 === 0 ? 'b' : 'a'] };
    await until(() => outbox.append(item), 'there is room again');
    await outbox.flushed();
  }
  await until(() => outbox.stats().bytes <= 64 * 1024, 'it is within its bounds');
  for (const [id, accepted] of [
    ['a', 40],
    ['b', 20],
  ] as const) {
    const counts = outbox.countsOf(id);
    assertConserved(counts);
    assert.equal(counts.accepted, accepted);
    assert.ok(counts.shed > 0, `${id} lost the oldest of its own`);
    const left = await outbox.read(id, ALL);
    assert.equal(left.length, counts.pending);
    assert.equal(left.at(-1)?.recordId, record(id === 'a' ? 59 : 57).recordId);
  }
});
