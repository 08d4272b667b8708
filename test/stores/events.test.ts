import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { Database } from '../../src/common/sqlite.ts';
import { makeFleetTable } from '../../src/fleet/stores/dynamodb-table.ts';
import { toShown } from '../../src/services/rules/shown-event.ts';
import { DynamoEventStore } from '../../src/stores/dynamodb-events.ts';
import type { EventStore, StoredEvent } from '../../src/stores/event-store.ts';
import { SqliteEventStore } from '../../src/stores/sqlite-events.ts';
import { temporaryDir } from '../outbox/helpers.ts';
import { Moto, noMoto } from '../support/moto.ts';

const DAY_MS = 24 * 3600 * 1000;
/** Yesterday, a minute before midnight: the events lie on two days. */
const START_MS = Math.floor(Date.now() / DAY_MS) * DAY_MS - 5_000;

function event(n: number): StoredEvent {
  return {
    id: `e${n}`,
    time: new Date(START_MS + Math.floor(n / 2) * 2_000).toISOString(),
    rule: n % 2 === 0 ? 'even' : 'odd',
    streamId: n < 5 ? 'a' : 'b',
  };
}

function idsOf(events: readonly StoredEvent[]): string {
  return events.map(({ id }) => id).join(' ');
}

/** What every adapter does. `reopen` gives the store again after it was closed. */
async function conforms(store: EventStore, reopen: () => EventStore): Promise<void> {
  assert.deepEqual(await store.list({ limit: 5 }), []);
  await store.put(Array.from({ length: 10 }, (_, n) => event(n)));
  await store.put([{ ...event(3), rule: 'changed' }, event(3)]);
  const first = await store.list({ limit: 4 });
  assert.equal(idsOf(first), 'e9 e8 e7 e6');
  const second = await store.list({ limit: 4, after: first[3]! });
  assert.equal(idsOf(second), 'e5 e4 e3 e2');
  assert.equal(idsOf(await store.list({ limit: 4, after: second[3]! })), 'e1 e0');
  assert.equal(idsOf(await store.list({ limit: 9, streamId: 'a', rule: 'odd' })), 'e3 e1');
  assert.equal(idsOf(await store.list({ limit: 9, rule: 'changed' })), '');
  const { time } = event(4);
  assert.equal(idsOf(await store.list({ limit: 9, from: time, streamId: 'a' })), 'e4');
  assert.equal(idsOf(await store.list({ limit: 9, to: time, rule: 'even' })), 'e2 e0');
  assert.equal(idsOf(await store.list({ limit: 9, from: time, to: event(6).time })), 'e5 e4');
  assert.equal(await store.get('none'), undefined);
  await store.close();
  const again = reopen();
  assert.deepEqual(await again.get('e9'), event(9));
  await again.close();
}

test('events in SQLite', async (context) => {
  const file = `${temporaryDir(context)}/events.sqlite`;
  await conforms(new SqliteEventStore(file), () => new SqliteEventStore(file));
  const store = new SqliteEventStore(file);
  assert.equal(await store.prune(event(4).time), 4);
  assert.equal(await store.get('e3'), undefined);

  const database = new Database(file);
  database.exec("UPDATE event SET body = substr(body, 1, 20) WHERE id = 'e9'");
  database.exec("UPDATE event SET body = '[]' WHERE id = 'e8'");
  database.close();
  const damaged = await store.list({ limit: 2 });
  assert.deepEqual(damaged, [event(9), event(8)], 'what stands beside the body is left');
  assert.deepEqual(await store.get('e9'), event(9));
  const { kind, time, evidence } = toShown(damaged[0]!);
  assert.deepEqual([kind, time, evidence.clip.from], ['damaged', event(9).time, event(9).time]);
  await store.close();
});

test('events in DynamoDB', { skip: noMoto }, async (context: TestContext) => {
  const moto = await Moto.start();
  context.after(() => moto.close());
  const maker = new DynamoDBClient(moto.client);
  await makeFleetTable(maker, 'events');
  maker.destroy();
  const open = (maxAgeMs = 90 * DAY_MS) =>
    new DynamoEventStore({ client: new DynamoDBClient(moto.client), table: 'events', maxAgeMs });
  await conforms(open(), open);
  const short = open(1000);
  await short.put([{ ...event(0), id: 'old' }]);
  assert.deepEqual(idsOf(await short.list({ limit: 9, streamId: 'a' })).includes('old'), false);

  const client = new DynamoDBClient(moto.client);
  const store = open();
  const { time } = event(9);
  const expires_at = { N: String(Math.floor((Date.parse(time) + 90 * DAY_MS) / 1000)) };
  for (const [p, s] of [
    ['rule/odd', `${time}/torn`],
    ['event/torn', '-'],
  ] as const) {
    const Item = { p: { S: p }, s: { S: s }, body: { S: '{"id":' }, expires_at };
    await client.send(new PutItemCommand({ TableName: 'events', Item }));
  }
  client.destroy();
  const [torn] = await store.list({ limit: 1, rule: 'odd' });
  assert.deepEqual(torn, { id: 'torn', time, rule: 'odd', streamId: '' });
  assert.deepEqual(await store.get('torn'), { id: 'torn', time, rule: '', streamId: '' });
  await store.close();
  await moto.close();
  const failed = await short.put([event(1)]).catch((error) => error.code);
  assert.equal(failed, 'SL_UNAVAILABLE');
  await short.close();
});
