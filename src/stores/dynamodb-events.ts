import {
  type AttributeValue,
  type DynamoDBClient,
  GetItemCommand,
  QueryCommand,
  TransactionCanceledException,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';
import { DynamoCalls } from '../common/dynamodb-calls.ts';
import { type EventQuery, type EventStore, parseEvent, type StoredEvent } from './event-store.ts';

export interface DynamoEventStoreOptions {
  /** Made by the caller, and closed with the store. */
  readonly client: DynamoDBClient;
  /** With the key `p` (partition) and `s` (sort), both texts, and `expires_at` as its time to live. */
  readonly table: string;
  readonly maxAgeMs: number;
  /** Longest time of one call with all its tries. Default 5000. */
  readonly limitMs?: number;
}

const LIMIT_MS = 5_000;
const DAY_MS = 24 * 3600 * 1000;
/** Transactions on their way at once. */
const PARALLEL = 8;
/** Comes after every id. */
const LAST = '\uffff';

type Item = Readonly<Record<string, AttributeValue>>;

/**
 * Events in a table of DynamoDB. An event stands there once under its id and once in each list it is read from - of its
 * day, its stream, its rule - written in one transaction, so no index can be behind. DynamoDB removes old items by
 * `expires_at`, some days late: until then they are passed over.
 */
export class DynamoEventStore implements EventStore {
  readonly #options: DynamoEventStoreOptions;
  readonly #calls: DynamoCalls;

  constructor(options: DynamoEventStoreOptions) {
    this.#options = options;
    const { client, table, limitMs = LIMIT_MS } = options;
    this.#calls = new DynamoCalls(client, `DynamoDB table ${table}`, limitMs);
  }

  async put(events: readonly StoredEvent[]): Promise<void> {
    for (let start = 0; start < events.length; start += PARALLEL) {
      const some = events.slice(start, start + PARALLEL);
      await Promise.all(some.map((event) => this.#put(event)));
    }
  }

  async #put(event: StoredEvent): Promise<void> {
    const { id, time, rule, streamId } = event;
    const expiresS = Math.floor((Date.parse(time) + this.#options.maxAgeMs) / 1000);
    const rest = { body: { S: JSON.stringify(event) }, expires_at: { N: String(expiresS) } };
    const place = (p: string, s: string): Item => ({ p: { S: p }, s: { S: s }, ...rest });
    const sort = `${time}/${id}`;
    const lists = [`day/${dayOf(time)}`, `stream/${streamId}`, `rule/${rule}`];
    const { table: TableName } = this.#options;
    const first = {
      TableName,
      Item: place(`event/${id}`, '-'),
      ConditionExpression: 'attribute_not_exists(p)',
    };
    const others = lists.map((p) => ({ TableName, Item: place(p, sort) }));
    const TransactItems = [first, ...others].map((Put) => ({ Put }));
    try {
      await this.#calls.write(new TransactWriteItemsCommand({ TransactItems }));
    } catch (thrown) {
      if (!isThereAlready(thrown)) throw thrown;
    }
  }

  async list(query: EventQuery): Promise<readonly StoredEvent[]> {
    const { streamId, rule, limit } = query;
    if (streamId !== undefined) return this.#listOf(`stream/${streamId}`, query, limit);
    if (rule !== undefined) return this.#listOf(`rule/${rule}`, query, limit);
    const found: StoredEvent[] = [];
    for (const day of this.#days(query)) {
      if (found.length >= limit) break;
      found.push(...(await this.#listOf(`day/${day}`, query, limit - found.length)));
    }
    return found;
  }

  /** Days that can have events, the newest first; a camera's clock may be ahead by one. */
  *#days({ from, to, after }: EventQuery): Generator<string> {
    const now = Date.now();
    const bounds = [to, after?.time].flatMap((time) =>
      time === undefined ? [] : Date.parse(time),
    );
    const oldestMs = Math.max(
      now - this.#options.maxAgeMs,
      from === undefined ? 0 : Date.parse(from),
    );
    const newestMs = Math.min(now + DAY_MS, ...bounds);
    const oldest = dayOf(new Date(oldestMs).toISOString());
    for (let ms = newestMs; ; ms -= DAY_MS) {
      const day = dayOf(new Date(ms).toISOString());
      if (day < oldest) return;
      yield day;
    }
  }

  async #listOf(p: string, query: EventQuery, limit: number): Promise<StoredEvent[]> {
    const { from = '', to, after, rule } = query;
    // BETWEEN takes both ends: what stands at the upper one is left out below.
    const upper = [to, after && `${after.time}/${after.id}`].filter((end) => end !== undefined);
    const end = upper.sort()[0] ?? LAST;
    const found: StoredEvent[] = [];
    let ExclusiveStartKey: Record<string, AttributeValue> | undefined;
    do {
      const page = await this.#calls.read(
        new QueryCommand({
          ...{ TableName: this.#options.table, ScanIndexForward: false, ConsistentRead: true },
          KeyConditionExpression: 'p = :p AND s BETWEEN :from AND :to',
          FilterExpression: 'expires_at > :now',
          ExpressionAttributeValues: {
            ':p': { S: p },
            ':from': { S: from === '' ? ' ' : from },
            ':to': { S: end },
            ':now': { N: String(Math.floor(Date.now() / 1000)) },
          },
          ...(ExclusiveStartKey === undefined ? {} : { ExclusiveStartKey }),
          Limit: Math.max(limit + 1, 20),
        }),
      );
      for (const item of page.Items ?? []) {
        const event = eventOf(item, this.#options.maxAgeMs);
        if (item['s']?.S === end || (rule !== undefined && event.rule !== rule)) continue;
        found.push(event);
        if (found.length >= limit) return found;
      }
      ExclusiveStartKey = page.LastEvaluatedKey;
    } while (ExclusiveStartKey !== undefined);
    return found;
  }

  async get(id: string): Promise<StoredEvent | undefined> {
    const { Item } = await this.#calls.read(
      new GetItemCommand({
        ...{ TableName: this.#options.table, ConsistentRead: true },
        Key: { p: { S: `event/${id}` }, s: { S: '-' } },
      }),
    );
    return Item && eventOf(Item, this.#options.maxAgeMs);
  }

  /** DynamoDB does it by itself. */
  async prune(): Promise<number> {
    return 0;
  }

  async close(): Promise<void> {
    this.#options.client.destroy();
  }
}

function dayOf(time: string): string {
  return time.slice(0, 10);
}

/** Of a damaged one what its keys say, and when it was found by when it expires. */
function eventOf({ p, s, body, expires_at }: Item, maxAgeMs: number): StoredEvent {
  const event = parseEvent(body?.S);
  if (event !== undefined) return event;
  const [list, name] = cut(p?.S ?? '');
  const time = new Date(Number(expires_at?.N ?? 0) * 1000 - maxAgeMs).toISOString();
  const beside = { rule: list === 'rule' ? name : '', streamId: list === 'stream' ? name : '' };
  if (list === 'event') return { id: name, time, ...beside };
  const [exactTime, id] = cut(s?.S ?? '');
  return { id, time: exactTime, ...beside };
}

function cut(text: string): [string, string] {
  const at = text.indexOf('/');
  return [text.slice(0, at), text.slice(at + 1)];
}

/** The condition on the event itself failed, and nothing else. */
function isThereAlready(thrown: unknown): boolean {
  const cause = (thrown as Error).cause ?? thrown;
  if (!(cause instanceof TransactionCanceledException)) return false;
  return cause.CancellationReasons?.[0]?.Code === 'ConditionalCheckFailed';
}
