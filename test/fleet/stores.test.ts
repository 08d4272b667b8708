import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoFleetStore } from '../../src/fleet/stores/dynamodb.ts';
import { makeFleetTable } from '../../src/fleet/stores/dynamodb-table.ts';
import { SqliteFleetStore } from '../../src/fleet/stores/sqlite.ts';
import { Moto, noMoto } from '../support/moto.ts';
import { SerialProxy } from '../support/serial-proxy.ts';
import { temporaryFolder } from '../support/server.ts';
import { conformance } from './conformance.ts';

let moto: Moto | undefined;
/** moto's threads look at a condition and write without a lock, others in between; DynamoDB does both in one step. */
let oneByOne: SerialProxy | undefined;
before(async () => {
  if (noMoto !== false) return;
  moto = await Moto.start();
  oneByOne = await SerialProxy.start(moto.client.endpoint);
});
after(async () => {
  await oneByOne?.[Symbol.asyncDispose]();
  await moto?.close();
});

conformance('SQLite: two processes of a box', async () => {
  const folder = await temporaryFolder();
  const file = join(folder.path, 'fleet.sqlite');
  const a = new SqliteFleetStore(file);
  const b = new SqliteFleetStore(file);
  const close = async () => {
    await a.close();
    await b.close();
    await folder[Symbol.asyncDispose]();
  };
  return { a, b, close };
});

conformance(
  'DynamoDB',
  async () => {
    const table = `fleet-${randomUUID()}`;
    const open = () => new DynamoDBClient({ ...moto!.client, endpoint: oneByOne!.url });
    const stores = [open(), open()].map(
      (client) => new DynamoFleetStore({ client, table, fleet: 'yard' }),
    );
    const maker = open();
    await makeFleetTable(maker, table);
    await makeFleetTable(maker, table);
    maker.destroy();
    const close = async () => {
      for (const store of stores) await store.close();
    };
    return { a: stores[0]!, b: stores[1]!, close };
  },
  { skip: noMoto },
);

/** A server that refuses the first `refusals` requests as DynamoDB does, then answers an empty item. */
async function refusing(refusals: number, type: string) {
  let requests = 0;
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      requests += 1;
      const refused = requests <= refusals;
      response.writeHead(refused ? 400 : 200, { 'content-type': 'application/x-amz-json-1.0' });
      const error = { __type: `com.amazonaws.dynamodb.v20120810#${type}`, message: 'no' };
      response.end(JSON.stringify(refused ? error : {}));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = new DynamoDBClient({
    ...{ endpoint: `http://127.0.0.1:${port}`, region: 'us-east-1', maxAttempts: 1 },
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  });
  const store = new DynamoFleetStore({ client, table: 't', fleet: 'yard', limitMs: 1_500 });
  return {
    store,
    count: () => requests,
    [Symbol.asyncDispose]: async () => {
      await store.close();
      server.closeAllConnections();
      server.close();
    },
  };
}

test('DynamoDB that throttles is asked again, within the limit', async () => {
  await using server = await refusing(3, 'ProvisionedThroughputExceededException');
  assert.equal(await server.store.document('streams', 'x'), undefined);
  assert.equal(server.count(), 4);
  await using never = await refusing(Number.POSITIVE_INFINITY, 'ThrottlingException');
  await assert.rejects(never.store.leases(), { code: 'SL_UNAVAILABLE' });
  assert.ok(never.count() > 2);
});

test('DynamoDB that refuses for good is not asked again, and a silent one ends by the limit', async () => {
  await using server = await refusing(9, 'AccessDeniedException');
  await assert.rejects(server.store.lease('assigner'), (error: Error & { code?: string }) => {
    assert.equal(error.code, 'SL_UNAVAILABLE');
    assert.match(error.message, /DynamoDB table t \(AccessDeniedException\)/);
    return true;
  });
  assert.equal(server.count(), 1);
  const silent = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const client = new DynamoDBClient({
    endpoint: `http://127.0.0.1:${(silent.address() as AddressInfo).port}`,
    ...{ region: 'us-east-1', maxAttempts: 1 },
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  });
  const store = new DynamoFleetStore({ client, table: 't', fleet: 'yard', limitMs: 300 });
  await assert.rejects(store.leases(), { code: 'SL_TIMEOUT' });
  await store.close();
  silent.closeAllConnections();
  silent.close();
});
