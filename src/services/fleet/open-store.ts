import { resolve } from 'node:path';
import type { FleetStore } from '../../fleet/store.ts';
import { SqliteFleetStore } from '../../fleet/stores/sqlite.ts';
import { awsClientConfig } from '../../sinks/aws/client.ts';
import type { FleetConfig } from '../config/fleet.ts';

const SOCKETS = 16;

/** The store of the configuration. One call of it takes no longer than a third of what a lease may stay unrenewed. */
export async function openFleetStore(
  { store, lease }: Pick<FleetConfig, 'store' | 'lease'>,
  baseDir: string,
): Promise<FleetStore> {
  if (store.type === 'sqlite') return new SqliteFleetStore(resolve(baseDir, store.file));
  const { DynamoDBClient } = await import('@aws-sdk/client-dynamodb');
  const { DynamoFleetStore } = await import('../../fleet/stores/dynamodb.ts');
  const client = new DynamoDBClient(awsClientConfig(store, SOCKETS));
  const { table, fleet } = store;
  if (store.createTable) {
    const { makeFleetTable } = await import('../../fleet/stores/dynamodb-table.ts');
    await makeFleetTable(client, table);
  }
  const limitMs = Math.round((lease.leaseMs - lease.marginMs) / 3);
  return new DynamoFleetStore({ client, table, fleet, limitMs });
}
