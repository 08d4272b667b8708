import type { ParquetWriter } from 'hyparquet-writer';

export type SchemaElement = ConstructorParameters<typeof ParquetWriter>[0]['schema'][number];

/** A column of a table, in Parquet and (under the same name) in lines of JSON. */
export interface Column<Message, Item> {
  readonly name: string;
  readonly elements: readonly SchemaElement[];
  /** Its value in the row of one item; `index` counts the items of the message from 0. */
  value(message: Message, item: Item, index: number): unknown;
}

/**
 * What rows a message gives. Columns are only added, at the end; what does not apply is null. Every table has the columns
 * `camera_id` and `timestamp` (ms since the Unix epoch).
 */
export interface Table<Message, Item> {
  readonly columns: readonly Column<Message, Item>[];
  /** @throws SightlineError `SL_INTERNAL` for bytes that are no such message */
  decode(bytes: Uint8Array): Message;
  /** The same for copies of a message, and for no others; empty: nobody knows. */
  idOf(message: Message): string;
  /** One a row. */
  itemsOf(message: Message): readonly Item[];
}

/** A table of whatever messages: each knows its own. */
export type AnyTable = Table<unknown, unknown>;

export function schemaOf({ columns }: AnyTable): SchemaElement[] {
  const root = { name: 'root', num_children: columns.length };
  return [root, ...columns.flatMap(({ elements }) => elements)];
}

/** How the columns of a table over one kind of messages are made. */
export function columnsOf<Message, Item>() {
  type Read<T> = (message: Message, item: Item, index: number) => T | null | undefined;
  const column = (
    name: string,
    facts: Omit<SchemaElement, 'name'>,
    value: Column<Message, Item>['value'],
  ): Column<Message, Item> => ({ name, elements: [element(name, facts)], value });
  return {
    /** The empty text of protobuf means that there is none. */
    text: (name: string, read: Read<string>) =>
      column(name, { type: 'BYTE_ARRAY', converted_type: 'UTF8' }, (...at) => read(...at) || null),
    int: (name: string, read: Read<number>) =>
      column(name, { type: 'INT32' }, (...at) => read(...at) ?? 0),
    long: (name: string, read: Read<bigint>) =>
      column(name, { type: 'INT64' }, (...at) => read(...at) ?? 0n),
    float: (name: string, read: Read<number>) =>
      column(name, { type: 'FLOAT' }, (...at) => read(...at) ?? null),
    flag: (name: string, read: Read<boolean>) =>
      column(name, { type: 'BOOLEAN' }, (...at) => read(...at) ?? false),
    /** ms since the Unix epoch, UTC. */
    time: (name: string, read: Read<number>) =>
      column(name, { type: 'INT64', converted_type: 'TIMESTAMP_MILLIS' }, (...at) => read(...at)),
    list: (name: string, read: Read<readonly string[]>): Column<Message, Item> => ({
      name,
      elements: [
        element(name, { converted_type: 'LIST', num_children: 1 }),
        { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
        element('element', { type: 'BYTE_ARRAY', converted_type: 'UTF8' }),
      ],
      value: (...at) => read(...at) ?? [],
    }),
  };
}

function element(name: string, facts: Omit<SchemaElement, 'name'>): SchemaElement {
  return { name, repetition_type: 'OPTIONAL', ...facts };
}
