import { randomUUID } from 'node:crypto';
import { cellText, columnInfo } from './athena-texts.ts';
import { CATALOG, type Trino, type TrinoColumn, type TrinoError } from './trino.ts';

export interface StartInput {
  readonly QueryString: string;
  readonly ClientRequestToken?: string;
  readonly WorkGroup?: string;
  readonly ExecutionParameters?: readonly string[];
  readonly QueryExecutionContext?: { readonly Database?: string; readonly Catalog?: string };
}

type State = 'QUEUED' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED';
/** AthenaError.ErrorCategory. */
const CATEGORY = { system: 1, user: 2, other: 3 };
const STATEMENT = 'statement';

/** One StartQueryExecution: a statement of Trino, whose rows it keeps. */
export class Execution {
  readonly id: string = randomUUID();
  readonly input: StartInput;
  /** Resolves when it got beyond the parser: with its error where it did not. */
  readonly parsed: Promise<TrinoError | undefined>;
  #state: State = 'QUEUED';
  #error: TrinoError | undefined;
  #columns: readonly TrinoColumn[] = [];
  #isSelect = false;
  #scannedBytes = 0;
  readonly #rows: (readonly unknown[])[] = [];
  #parsed: (error: TrinoError | undefined) => void = () => undefined;

  constructor(trino: Trino, input: StartInput) {
    this.input = input;
    this.parsed = new Promise((resolve) => {
      this.#parsed = resolve;
    });
    void this.#run(trino);
  }

  get state(): State {
    return this.#state;
  }

  get scannedBytes(): number {
    return this.#scannedBytes;
  }

  cancel(): void {
    if (this.#state === 'QUEUED' || this.#state === 'RUNNING') this.#state = 'CANCELLED';
  }

  /** QueryExecution. */
  describe(): object {
    const { QueryString, WorkGroup, ExecutionParameters, QueryExecutionContext } = this.input;
    return {
      ...{ QueryExecutionId: this.id, Query: QueryString, WorkGroup, ExecutionParameters },
      ...{ QueryExecutionContext, EngineVersion: { EffectiveEngineVersion: 'Trino 435' } },
      StatementType: this.#isSelect ? 'DML' : 'DDL',
      Statistics: { DataScannedInBytes: this.#scannedBytes },
      Status: {
        State: this.#state,
        ...(this.#error && {
          StateChangeReason: `${this.#error.errorName}: ${this.#error.message}`,
          AthenaError: {
            ErrorCategory: this.#error.errorType === 'USER_ERROR' ? CATEGORY.user : CATEGORY.system,
            ErrorMessage: `${this.#error.errorName}: ${this.#error.message}`,
            Retryable: false,
          },
        }),
      },
    };
  }

  /** GetQueryResults; the first row of a SELECT has the names of its columns. */
  results(from: number, count: number): object {
    const names = this.#columns.map(({ name }) => name);
    const all = this.#isSelect ? [names, ...this.#rows] : this.#rows;
    const page = all.slice(from, from + count).map((row, at) => ({
      Data: row.map((value, index) => {
        const isName = this.#isSelect && from + at === 0;
        const text = isName ? String(value) : cellText(value, this.#columns[index]!.typeSignature);
        return text === undefined ? {} : { VarCharValue: text };
      }),
    }));
    const next = from + count;
    return {
      ResultSet: { Rows: page, ResultSetMetadata: { ColumnInfo: this.#columns.map(columnInfo) } },
      ...(next < all.length && { NextToken: String(next) }),
    };
  }

  async #run(trino: Trino): Promise<void> {
    try {
      await this.#pages(trino);
    } catch (error) {
      this.#error = { message: String(error), errorName: 'GENERIC', errorType: 'INTERNAL_ERROR' };
      if (this.#state !== 'CANCELLED') this.#state = 'FAILED';
    }
    this.#parsed(this.#error);
  }

  async #pages(trino: Trino): Promise<void> {
    const { QueryString, ExecutionParameters = [], QueryExecutionContext = {} } = this.input;
    const { Database = 'default', Catalog = CATALOG } = QueryExecutionContext;
    const headers = {
      'x-trino-schema': Database.toLowerCase(),
      'x-trino-catalog': Catalog.toLowerCase(),
      ...(ExecutionParameters.length > 0 && {
        'x-trino-prepared-statement': `${STATEMENT}=${encodeURIComponent(QueryString)}`,
      }),
    };
    // As Athena does: the values are literals of SQL behind USING.
    const sql =
      ExecutionParameters.length === 0
        ? QueryString
        : `EXECUTE ${STATEMENT} USING ${ExecutionParameters.join(', ')}`;
    for await (const { error, columns, data = [], updateType, stats } of trino.pages(
      sql,
      headers,
    )) {
      if (error !== undefined) this.#error = error;
      if (columns !== undefined) this.#columns = columns;
      this.#rows.push(...data);
      this.#isSelect ||= columns !== undefined && updateType === undefined;
      this.#scannedBytes = stats.physicalInputBytes ?? 0;
      if (this.#state === 'CANCELLED') return;
      if (stats.state !== 'QUEUED') this.#state = 'RUNNING';
      if (stats.state === 'RUNNING' || stats.state === 'FINISHED') this.#parsed(undefined);
    }
    this.#state = this.#error === undefined ? 'SUCCEEDED' : 'FAILED';
  }
}
