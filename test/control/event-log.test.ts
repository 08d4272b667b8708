import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventLog } from '../../src/control/event-log.ts';
import type { EventSubscription } from '../../src/control/types.ts';

async function take(subscription: EventSubscription, count: number): Promise<number[]> {
  const ids: number[] = [];
  for await (const { id } of subscription) {
    ids.push(id);
    if (ids.length === count) break;
  }
  return ids;
}

test('ids grow by one, and by default begin above those of an earlier server', () => {
  const log = new EventLog({ firstId: 7 });
  assert.deepEqual([log.emit('a').id, log.emit('b').id, log.lastId], [8, 9, 9]);
  const earlier = new EventLog().lastId;
  assert.ok(earlier > 1.6e15 && Number.isSafeInteger(earlier));
});

test('an event of a fleet’s stream carries the epoch of its owner', () => {
  const log = new EventLog({ epochOf: (id) => (id === 'gate' ? 3 : undefined) });
  const events = [{ streamId: 'gate' }, { pipelineId: 'gate' }, { streamId: 'door' }, {}];
  const epochs = events.map((facts) => log.emit('stream.live', facts)['epoch']);
  assert.deepEqual(epochs, [3, 3, undefined, undefined]);
});

test('a subscriber that comes back gets what it missed, then what comes', async () => {
  const log = new EventLog({ firstId: 0 });
  for (const type of ['a', 'b', 'c']) log.emit(type);
  const subscription = log.subscribe({ afterId: 1 });
  assert.equal(subscription.reset, false);
  log.emit('d');
  assert.deepEqual(await take(subscription, 3), [2, 3, 4]);
  assert.equal(log.stats.subscribers, 0);
});

test('a subscriber that comes back too late, or from another server, is told to reset', async () => {
  const log = new EventLog({ firstId: 0, capacity: 4 });
  for (let index = 0; index < 20; index++) log.emit('e');
  assert.equal(log.subscribe({ afterId: 2 }).reset, true);
  assert.equal(log.subscribe({ afterId: 900 }).reset, true);
  assert.equal(log.subscribe({ afterId: 20 }).reset, false);
  assert.equal(log.subscribe({ afterId: 17 }).reset, false);
  assert.ok(log.recent(1_000).length <= 5);
});

test('a slow subscriber is cut off at its bound and counted; a quick one is not disturbed', async () => {
  const log = new EventLog({ firstId: 0 });
  const slow = log.subscribe({ maxQueued: 10 });
  const quick = log.subscribe({ maxQueued: 100 });
  for (let index = 0; index < 50; index++) log.emit('e');
  assert.equal(slow.ended, 'slow');
  assert.deepEqual(log.stats, { subscribers: 1, slowDisconnects: 1 });
  assert.deepEqual(await take(slow, 1), []);
  assert.equal((await take(quick, 50)).length, 50);
  assert.equal(quick.ended, 'closed');
});

test('a replay longer than the bound does not cut the subscriber off', async () => {
  const log = new EventLog({ firstId: 0 });
  for (let index = 0; index < 50; index++) log.emit('e');
  const subscription = log.subscribe({ afterId: 0, maxQueued: 10 });
  assert.equal((await take(subscription, 50)).at(-1), 50);
});

test('a waiting subscriber ends when its signal aborts, the log closes, or it is closed', async () => {
  const log = new EventLog({ firstId: 0 });
  const cancel = new AbortController();
  const ends = [
    take(log.subscribe({ signal: cancel.signal }), 1),
    take(log.subscribe(), 1),
    take(log.subscribe({ signal: AbortSignal.abort() }), 1),
  ];
  cancel.abort();
  log.close();
  assert.deepEqual(await Promise.all(ends), [[], [], []]);
  assert.equal(log.stats.subscribers, 0);
});
