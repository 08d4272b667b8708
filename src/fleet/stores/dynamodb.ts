import {
  type AttributeValue,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  QueryCommand,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import { DynamoCalls } from '../../common/dynamodb-calls.ts';
import { checkBody } from '../body-limit.ts';
import type {
  DocumentOutcome,
  FleetStore,
  LeaseClaim,
  LeaseOutcome,
  LeaseRow,
  StoredDocument,
} from '../store.ts';

type Item = Readonly<Record<string, AttributeValue>>;

export interface DynamoFleetStoreOptions {
  /** Made by the caller, and closed with the store. */
  readonly client: DynamoDBClient;
  readonly table: string;
  /** Several fleets may share a table: theirs are apart by this. */
  readonly fleet: string;
  /** Longest time of one call with all its tries. */
  readonly limitMs?: number;
}

const LEASES = 'leases';
const LIMIT_MS = 5_000;
/** Names of attributes are paid for: `p` and `s` are the key, the others stand below. */
const NAMES = { '#o': 'owner', '#v': 'version', '#d': 'duration', '#t': 'token', '#b': 'body' };

/**
 * A table of DynamoDB with the key `p` (partition) and `s` (sort), both texts. Every decision is one conditional write on
 * the base table, whose refusal brings the winner's item (`ReturnValuesOnConditionCheckFailure: ALL_OLD`); every read is
 * consistent. Time to live is not used: it deletes days late.
 */
export class DynamoFleetStore implements FleetStore {
  readonly name: string;
  readonly #options: DynamoFleetStoreOptions;
  readonly #calls: DynamoCalls;

  constructor(options: DynamoFleetStoreOptions) {
    this.#options = options;
    this.name = `DynamoDB table ${options.table}`;
    this.#calls = new DynamoCalls(options.client, this.name, options.limitMs ?? LIMIT_MS);
  }

  async lease(key: string): Promise<LeaseRow | undefined> {
    return leaseOf(await this.#get(LEASES, key));
  }

  async leases(): Promise<readonly LeaseRow[]> {
    return (await this.#query(LEASES)).flatMap((item) => leaseOf(item) ?? []);
  }

  acquire(key: string, claim: LeaseClaim): Promise<LeaseOutcome> {
    const { owner, version, durationMs, data, expired } = claim;
    return this.#lease(key, {
      UpdateExpression: 'SET #o = :o, #v = :v, #d = :d, #b = :b ADD #t :one',
      ConditionExpression: `attribute_not_exists(p) OR #o = :nobody${expired === undefined ? '' : ' OR #v = :expired'}`,
      ExpressionAttributeNames: NAMES,
      ExpressionAttributeValues: {
        ':o': { S: owner },
        ':v': { S: version },
        ':d': { N: String(durationMs) },
        ':b': { S: data },
        ':one': { N: '1' },
        ':nobody': { S: '' },
        ...(expired === undefined ? {} : { ':expired': { S: expired } }),
      },
    });
  }

  renew(
    key: string,
    { version, next, data }: { version: string; next: string; data: string },
  ): Promise<LeaseOutcome> {
    return this.#lease(key, {
      UpdateExpression: 'SET #v = :next, #b = :b',
      ConditionExpression: '#v = :v',
      ExpressionAttributeNames: { '#v': NAMES['#v'], '#b': NAMES['#b'] },
      ExpressionAttributeValues: { ':v': { S: version }, ':next': { S: next }, ':b': { S: data } },
    });
  }

  release(
    key: string,
    { version, next }: { version: string; next: string },
  ): Promise<LeaseOutcome> {
    return this.#lease(key, {
      UpdateExpression: 'SET #v = :next, #o = :nobody',
      ConditionExpression: '#v = :v',
      ExpressionAttributeNames: { '#v': NAMES['#v'], '#o': NAMES['#o'] },
      ExpressionAttributeValues: {
        ':v': { S: version },
        ':next': { S: next },
        ':nobody': { S: '' },
      },
    });
  }

  async document(collection: string, id: string): Promise<StoredDocument | undefined> {
    return documentOf(await this.#get(collection, id));
  }

  async documents(collection: string): Promise<readonly StoredDocument[]> {
    return (await this.#query(collection)).flatMap((item) => documentOf(item) ?? []);
  }

  async put(
    collection: string,
    id: string,
    body: string,
    expected: number,
  ): Promise<DocumentOutcome> {
    checkBody(collection, id, body);
    const version = expected + 1;
    const command = new UpdateItemCommand({
      ...this.#at(collection, id),
      UpdateExpression: 'SET #v = :next, #b = :b',
      ConditionExpression: expected === 0 ? 'attribute_not_exists(p)' : '#v = :v',
      ExpressionAttributeNames: { '#v': NAMES['#v'], '#b': NAMES['#b'] },
      ExpressionAttributeValues: {
        ':next': { N: String(version) },
        ':b': { S: body },
        ...(expected === 0 ? {} : { ':v': { N: String(expected) } }),
      },
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });
    return this.#document(() => this.#calls.write(command), version);
  }

  async remove(collection: string, id: string, expected: number): Promise<DocumentOutcome> {
    const command = new DeleteItemCommand({
      ...this.#at(collection, id),
      ConditionExpression: '#v = :v',
      ExpressionAttributeNames: { '#v': NAMES['#v'] },
      ExpressionAttributeValues: { ':v': { N: String(expected) } },
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });
    return this.#document(() => this.#calls.write(command), expected);
  }

  async close(): Promise<void> {
    this.#options.client.destroy();
  }

  #at(collection: string, id: string) {
    const { table, fleet } = this.#options;
    return { TableName: table, Key: { p: { S: `${fleet}#${collection}` }, s: { S: id } } };
  }

  async #get(collection: string, id: string): Promise<Item | undefined> {
    const command = new GetItemCommand({ ...this.#at(collection, id), ConsistentRead: true });
    return (await this.#calls.read(command)).Item;
  }

  async #query(collection: string): Promise<readonly Item[]> {
    const { table, fleet } = this.#options;
    const items: Item[] = [];
    let from: Record<string, AttributeValue> | undefined;
    do {
      const page = await this.#calls.read(
        new QueryCommand({
          TableName: table,
          KeyConditionExpression: 'p = :p',
          ExpressionAttributeValues: { ':p': { S: `${fleet}#${collection}` } },
          ConsistentRead: true,
          ...(from === undefined ? {} : { ExclusiveStartKey: from }),
        }),
      );
      items.push(...(page.Items ?? []));
      from = page.LastEvaluatedKey;
    } while (from !== undefined);
    return items;
  }

  async #lease(key: string, update: Partial<UpdateItemCommandInput>): Promise<LeaseOutcome> {
    const command = new UpdateItemCommand({
      ...this.#at(LEASES, key),
      ...update,
      ReturnValues: 'ALL_NEW',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });
    try {
      const { Attributes } = await this.#calls.write(command);
      return { done: true, lease: leaseOf(Attributes)! };
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) {
        return { done: false, current: leaseOf(error.Item) };
      }
      throw error;
    }
  }

  async #document(write: () => Promise<unknown>, version: number): Promise<DocumentOutcome> {
    try {
      await write();
      return { done: true, version };
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) {
        return { done: false, current: documentOf(error.Item) };
      }
      throw error;
    }
  }
}

function leaseOf(item: Item | undefined): LeaseRow | undefined {
  if (item === undefined) return undefined;
  return {
    key: text(item, 's'),
    owner: text(item, 'owner'),
    version: text(item, 'version'),
    durationMs: Number(item['duration']?.N),
    token: Number(item['token']?.N),
    data: text(item, 'body'),
  };
}

function documentOf(item: Item | undefined): StoredDocument | undefined {
  if (item === undefined) return undefined;
  return { id: text(item, 's'), version: Number(item['version']?.N), body: text(item, 'body') };
}

function text(item: Item, name: string): string {
  return item[name]?.S ?? '';
}
