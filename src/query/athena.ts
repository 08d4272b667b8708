import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type AthenaClient,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  type ResultSetMetadata,
  type Row,
  StartQueryExecutionCommand,
  StopQueryExecutionCommand,
} from '@aws-sdk/client-athena';
import { SightlineError } from '../common/errors.ts';
import {
  MAX_ANSWER_BYTES,
  type QueryAnswer,
  type QueryParameter,
  type QueryRequest,
} from './request.ts';

export interface AthenaSettings {
  readonly workGroup: string;
  readonly database: string;
  readonly catalog: string;
}

const FIRST_POLL_MS = 100;
const MAX_POLL_MS = 2_000;
const PAGE_ROWS = 1_000;
const NUMBERS: ReadonlySet<string> = new Set([
  ...['tinyint', 'smallint', 'integer', 'bigint', 'real', 'float', 'double'],
]);
/** What the service answers when it is asked something it cannot do, and never will. */
const REFUSED: ReadonlySet<string> = new Set([
  'InvalidRequestException',
  'ResourceNotFoundException',
  'MetadataException',
]);

/**
 * Runs a query in Amazon Athena and waits for its rows. What it may read is for the rights of the credentials and the
 * workgroup to say. A start that is tried again gives one execution (ClientRequestToken); one that takes too long is stopped.
 * @throws SightlineError `SL_REQUEST_INVALID`, `SL_TIMEOUT`, `SL_UNAVAILABLE`, `SL_CLOSED` when `signal` ended it
 */
export async function queryAthena(
  client: AthenaClient,
  { workGroup, database, catalog }: AthenaSettings,
  request: QueryRequest,
  signal: AbortSignal = new AbortController().signal,
): Promise<QueryAnswer> {
  const startedMs = performance.now();
  const abortSignal = AbortSignal.any([signal, AbortSignal.timeout(request.timeoutMs)]);
  let id: string | undefined;
  try {
    const { parameters } = request;
    const started = await client.send(
      new StartQueryExecutionCommand({
        QueryString: request.sql,
        ClientRequestToken: randomUUID(),
        WorkGroup: workGroup,
        QueryExecutionContext: { Database: database, Catalog: catalog },
        ...(parameters.length === 0 ? {} : { ExecutionParameters: parameters.map(parameterText) }),
      }),
      { abortSignal },
    );
    id = started.QueryExecutionId!;
    await finished(client, id, abortSignal);
    const answer = await results(client, id, request.maxRows, abortSignal);
    return { ...answer, elapsedMs: performance.now() - startedMs };
  } catch (error) {
    if (abortSignal.aborted && id !== undefined) await stop(client, id);
    if (signal.aborted) throw new SightlineError('SL_CLOSED', 'The query was ended');
    if (abortSignal.aborted) {
      throw new SightlineError('SL_TIMEOUT', `The query was ended after ${request.timeoutMs} ms`);
    }
    throw athenaError(error);
  }
}

/**
 * Athena takes parameters as the literals of its SQL. A fraction is a DOUBLE, as DuckDB has it: `0.1` would be a DECIMAL, to
 * which a column of 32 bits compares otherwise.
 */
export function parameterText(value: QueryParameter): string {
  if (typeof value === 'string') return `'${value.replaceAll("'", "''")}'`;
  if (value === null) return 'NULL';
  const text = String(value);
  const isWhole = typeof value !== 'number' || Number.isSafeInteger(value);
  return isWhole || text.includes('e') ? text : `${text}E0`;
}

async function finished(client: AthenaClient, id: string, abortSignal: AbortSignal): Promise<void> {
  for (let waitMs = FIRST_POLL_MS; ; waitMs = Math.min(2 * waitMs, MAX_POLL_MS)) {
    const command = new GetQueryExecutionCommand({ QueryExecutionId: id });
    const { QueryExecution: execution } = await client.send(command, { abortSignal });
    const { State: state, AthenaError: error, StateChangeReason: reason } = execution?.Status ?? {};
    if (state === 'SUCCEEDED') return;
    if (state === 'FAILED' || state === 'CANCELLED') {
      const why = error?.ErrorMessage ?? reason ?? state;
      // 1: of Athena itself, 2: of the query, 3: of others.
      const code =
        error?.Retryable === true || error?.ErrorCategory === 1
          ? 'SL_UNAVAILABLE'
          : 'SL_REQUEST_INVALID';
      throw new SightlineError(code, `Cannot run the query in Athena: ${why}`);
    }
    await delay(waitMs, undefined, { signal: abortSignal });
  }
}

async function results(
  client: AthenaClient,
  id: string,
  maxRows: number,
  abortSignal: AbortSignal,
): Promise<Omit<QueryAnswer, 'elapsedMs'>> {
  const rows: unknown[][] = [];
  let columns: ReturnType<typeof columnsOf> | undefined;
  let next: string | undefined;
  let bytes = 0;
  do {
    const command = new GetQueryResultsCommand({
      ...{ QueryExecutionId: id, MaxResults: Math.min(PAGE_ROWS, maxRows + 2 - rows.length) },
      ...(next === undefined ? {} : { NextToken: next }),
    });
    const page = await client.send(command, { abortSignal });
    // The first row of the first page has the names of the columns.
    const given = (page.ResultSet?.Rows ?? []).slice(columns === undefined ? 1 : 0);
    columns ??= columnsOf(page.ResultSet?.ResultSetMetadata);
    for (const row of given) {
      bytes += bytesOf(row);
      if (bytes > MAX_ANSWER_BYTES) {
        const message = `Cannot answer the query: its rows are more than ${MAX_ANSWER_BYTES} bytes. Ask for less`;
        throw new SightlineError('SL_REQUEST_INVALID', message);
      }
      rows.push(valuesOf(row, columns));
    }
    next = page.NextToken;
  } while (next !== undefined && rows.length <= maxRows);
  return { columns, rows: rows.slice(0, maxRows), truncated: rows.length > maxRows };
}

function columnsOf(metadata: ResultSetMetadata | undefined) {
  return (metadata?.ColumnInfo ?? []).map(({ Name: name = '', Type: type = '' }) => ({
    name,
    type,
  }));
}

function bytesOf({ Data: data = [] }: Row): number {
  return data.reduce((sum, { VarCharValue: text = '' }) => sum + Buffer.byteLength(text), 0);
}

/** Athena gives texts; arrays, rows and decimals stay so. */
function valuesOf({ Data: data = [] }: Row, columns: ReturnType<typeof columnsOf>): unknown[] {
  return columns.map(({ type }, at) => {
    const text = data[at]?.VarCharValue;
    if (text === undefined) return null;
    if (type === 'boolean') return text === 'true';
    if (type.startsWith('timestamp')) return timeOf(text);
    if (!NUMBERS.has(type)) return text;
    const value = Number(text);
    if (type === 'bigint' && !Number.isSafeInteger(value)) return text;
    return Number.isFinite(value) ? value : null;
  });
}

/** RFC 3339 of `2026-01-31 13:00:00.033`, which is in UTC unless it names a zone; one in another zone stays as it is. */
function timeOf(text: string): string {
  return text.replace(/^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)(?: UTC)?$/, '$1T$2Z');
}

/** Nobody waits for it any more; when this fails, the workgroup's own limit ends it. */
async function stop(client: AthenaClient, id: string): Promise<void> {
  const command = new StopQueryExecutionCommand({ QueryExecutionId: id });
  await client.send(command, { abortSignal: AbortSignal.timeout(3_000) }).catch(() => undefined);
}

function athenaError(thrown: unknown): SightlineError {
  if (thrown instanceof SightlineError) return thrown;
  const { name, message } = thrown as Error;
  const code = REFUSED.has(name) ? 'SL_REQUEST_INVALID' : 'SL_UNAVAILABLE';
  const why = code === 'SL_REQUEST_INVALID' ? message : name;
  return new SightlineError(code, `Cannot run the query in Athena: ${why}`, { cause: thrown });
}
