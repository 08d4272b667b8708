import type { AnyTable } from '../../tables/table.ts';

/** Rows that gather for a row group, column by column. */
export class Rows {
  readonly #table: AnyTable;
  #columns: unknown[][];

  constructor(table: AnyTable) {
    this.#table = table;
    this.#columns = table.columns.map(() => []);
  }

  get length(): number {
    return this.#columns[0]!.length;
  }

  /** @param message as the table decoded it */
  add(message: unknown): void {
    const { columns } = this.#table;
    for (const [index, item] of this.#table.itemsOf(message).entries()) {
      for (const [at, column] of columns.entries()) {
        this.#columns[at]!.push(column.value(message, item, index));
      }
    }
  }

  /** Hands over what was added. */
  take(): { name: string; data: unknown[] }[] {
    const columns = this.#columns;
    this.#columns = this.#table.columns.map(() => []);
    return this.#table.columns.map(({ name }, at) => ({ name, data: columns[at]! }));
  }
}
