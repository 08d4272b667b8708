import { realpath } from 'node:fs/promises';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { SightlineError } from '../common/errors.ts';
import { checkSelect } from './check-select.ts';
import { MAX_ANSWER_BYTES, type QueryAnswer, type QueryRequest } from './request.ts';
import { toJsonValue } from './values.ts';
import { escapeFolder, literal, viewStatements } from './views.ts';

export interface EngineJob extends QueryRequest {
  /** Absolute folders of file sinks; one that is not there has no rows. */
  readonly folders: readonly string[];
  /** What DuckDB may hold in memory. It writes nothing to the disk. */
  readonly memoryBytes: number;
}

const MAX_MESSAGE_CHARACTERS = 500;

/**
 * Answers one query with a DuckDB of its own that has nothing but the views, and can reach nothing but the folders.
 * @throws SightlineError `SL_REQUEST_INVALID` (with DuckDB's words), `SL_TIMEOUT`, `SL_UNAVAILABLE` when a file cannot be read
 */
export async function runQuery(job: EngineJob): Promise<QueryAnswer> {
  const startedMs = performance.now();
  const folders = await existing(job.folders);
  const instance = await DuckDBInstance.create(':memory:', {
    threads: '1',
    memory_limit: `${job.memoryBytes}B`,
    temp_directory: '',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
  });
  const connection = await instance.connect();
  let late = false;
  const limit = setTimeout(() => {
    late = true;
    connection.interrupt();
  }, job.timeoutMs);
  try {
    await prepareViews(connection, job.sql, folders);
    checkSelect(await serialize(connection, job.sql));
    return { ...(await select(connection, job)), elapsedMs: performance.now() - startedMs };
  } catch (error) {
    if (late) {
      throw new SightlineError('SL_TIMEOUT', `The query was ended after ${job.timeoutMs} ms`);
    }
    throw queryError(error, folders);
  } finally {
    clearTimeout(limit);
    connection.disconnectSync();
    instance.closeSync();
  }
}

async function existing(folders: readonly string[]): Promise<string[]> {
  const real = await Promise.all(folders.map((folder) => realpath(folder).catch(() => undefined)));
  return [...new Set(real.filter((folder) => folder !== undefined))];
}

/** Makes the views, then shuts every other door; `lock_configuration` keeps them shut. */
async function prepareViews(connection: DuckDBConnection, sql: string, folders: readonly string[]) {
  const statements = await viewStatements(sql, folders, async (glob) => {
    const found = await connection.runAndReadAll('SELECT 1 FROM glob(?) LIMIT 1', [glob]);
    return found.currentRowCount > 0;
  });
  await connection.run("SET TimeZone = 'UTC'");
  for (const statement of statements) await connection.run(statement);
  // The pattern is checked as well as the files it gives.
  const allowed = new Set(folders.flatMap((folder) => [folder, escapeFolder(folder)]));
  const list = [...allowed].map((folder) => literal(`${folder}/`)).join(', ');
  await connection.run(`SET allowed_directories = [${list}]`);
  await connection.run('SET enable_external_access = false');
  await connection.run('SET lock_configuration = true');
}

async function serialize(connection: DuckDBConnection, sql: string): Promise<string> {
  const statement = 'SELECT CAST(json_serialize_sql(CAST(? AS VARCHAR)) AS VARCHAR)';
  const tree = await connection.runAndReadAll(statement, [sql]);
  return String(tree.getRowsJS()[0]?.[0]);
}

async function select(
  connection: DuckDBConnection,
  { sql, parameters, maxRows }: EngineJob,
): Promise<Omit<QueryAnswer, 'elapsedMs'>> {
  const prepared = await connection.prepare(sql);
  if (prepared.parameterCount !== parameters.length) {
    const message = `Cannot run the query: it has ${prepared.parameterCount} parameters, and ${parameters.length} were given`;
    throw new SightlineError('SL_REQUEST_INVALID', message);
  }
  for (const [index, value] of parameters.entries()) {
    if (value === null) prepared.bindNull(index + 1);
    else if (typeof value === 'string') prepared.bindVarchar(index + 1, value);
    else if (typeof value === 'boolean') prepared.bindBoolean(index + 1, value);
    else if (Number.isSafeInteger(value)) prepared.bindBigInt(index + 1, BigInt(value));
    else prepared.bindDouble(index + 1, value);
  }
  const result = await prepared.stream();
  const types = result.columnTypes().map(String);
  const columns = result.columnNames().map((name, at) => ({ name, type: types[at]! }));
  const rows: unknown[][] = [];
  let bytes = 0;
  for await (const chunk of result.yieldRowsJs()) {
    for (const row of chunk) {
      if (rows.length === maxRows) return { columns, rows, truncated: true };
      const values = row.map(toJsonValue);
      bytes += Buffer.byteLength(JSON.stringify(values));
      if (bytes > MAX_ANSWER_BYTES) {
        const message = `Cannot answer the query: its rows are more than ${MAX_ANSWER_BYTES} bytes. Ask for less`;
        throw new SightlineError('SL_REQUEST_INVALID', message);
      }
      rows.push(values);
    }
  }
  return { columns, rows, truncated: false };
}

/** What names a file is not the fault of the query: it is damaged, or was just removed. No path is told. */
function queryError(thrown: unknown, folders: readonly string[]): SightlineError {
  if (thrown instanceof SightlineError) return thrown;
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  const paths = folders.flatMap((folder) => [folder, escapeFolder(folder)]);
  const ofFile = paths.some((path) => text.includes(path));
  const shown = paths.reduce((rest, path) => rest.replaceAll(path, ''), text);
  // Behind its first line stands advice for whoever runs DuckDB.
  const said = text.startsWith('Out of Memory') ? shown.split('\n')[0]! : shown;
  const message = said.slice(0, MAX_MESSAGE_CHARACTERS);
  const isTheirs = !ofFile && !/^(IO|FATAL|INTERNAL|TransactionContext) Error/.test(text);
  return new SightlineError(
    isTheirs ? 'SL_REQUEST_INVALID' : 'SL_UNAVAILABLE',
    `Cannot run the query: ${message.trim()}`,
    { cause: thrown },
  );
}
