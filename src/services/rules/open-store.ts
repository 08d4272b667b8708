import { join } from 'node:path';
import type { EventStore } from '../../stores/event-store.ts';
import type { LoadedConfig } from '../config/load.ts';

/** The store of events that the configuration asks for. The SDK of DynamoDB is loaded for it alone. */
export async function openEventStore({ config, dataDir }: LoadedConfig): Promise<EventStore> {
  const { store, maxAgeMs } = config.events;
  if (store.type === 'sqlite') {
    const { SqliteEventStore } = await import('../../stores/sqlite-events.ts');
    return new SqliteEventStore(join(dataDir, 'events.sqlite'));
  }
  const { DynamoDBClient } = await import('@aws-sdk/client-dynamodb');
  const { DynamoEventStore } = await import('../../stores/dynamodb-events.ts');
  const { awsClientConfig } = await import('../../sinks/aws/client.ts');
  const client = new DynamoDBClient(awsClientConfig(store, 16));
  return new DynamoEventStore({ client, table: store.table, maxAgeMs });
}
