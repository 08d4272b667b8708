import { SightlineError } from '../../common/errors.ts';
import {
  type QueryAnswer,
  type QueryParameter,
  type QueryRequest,
  ROWS,
} from '../../query/request.ts';
import { SAVED_QUERIES } from '../../query/saved.ts';
import { configPlace } from '../config/place.ts';
import { loadQueryPlaces, type QueryPlaces } from './config.ts';
import { localQueries } from './open.ts';
import { answerLines, type Format } from './print.ts';

export interface QueryFlags {
  readonly config: string;
  readonly format: Format;
  /** For each `?`; what reads as a number, true, false or null is one. */
  readonly param?: readonly string[] | undefined;
  readonly limit?: number | undefined;
  /** Milliseconds. */
  readonly timeout?: number | undefined;
  readonly saved?: string | undefined;
  readonly athena?: boolean | undefined;
}

interface Io {
  readonly signal: AbortSignal;
  readonly print: (line: string) => void;
  readonly tell: (line: string) => void;
}

/**
 * `sightline query`: prints the rows of one SELECT.
 * @throws SightlineError `SL_CONFIG_INVALID`, and as LocalQueries.run() and queryAthena()
 */
export async function queryCommand(
  sql: string | undefined,
  flags: QueryFlags,
  { signal, print, tell }: Io,
): Promise<void> {
  const loaded = await loadQueryPlaces(configPlace(flags.config).file);
  const request = {
    sql: sql ?? savedSql(flags.saved, flags.athena ? 'athena' : 'sql'),
    parameters: (flags.param ?? []).map(parameterOf),
    maxRows: Math.min(flags.limit ?? ROWS.default, ROWS.most),
    timeoutMs: flags.timeout ?? loaded.config.query.timeoutMs,
  };
  const answer = flags.athena
    ? await askAthena(loaded, request, signal)
    : await localQueries(loaded).run(request, signal);
  for (const line of answerLines(answer, flags.format)) print(line);
  const more = answer.truncated ? ', and there are more: --limit' : '';
  tell(`${answer.rows.length} rows in ${Math.round(answer.elapsedMs)} ms${more}`);
}

function savedSql(name: string | undefined, engine: 'sql' | 'athena'): string {
  const saved = name === undefined ? undefined : SAVED_QUERIES[name];
  if (saved !== undefined) return saved[engine];
  const known = Object.entries(SAVED_QUERIES).map(
    ([id, { description }]) => `${id} (${description})`,
  );
  const message = `Give a SELECT, or --saved with one of: ${known.join(', ')}`;
  throw new SightlineError('SL_REQUEST_INVALID', message);
}

function parameterOf(text: string): QueryParameter {
  if (text === 'null') return null;
  if (text === 'true' || text === 'false') return text === 'true';
  return /^-?\d+(\.\d+)?$/.test(text) && Number.isFinite(Number(text)) ? Number(text) : text;
}

async function askAthena(
  { config }: QueryPlaces,
  request: QueryRequest,
  signal: AbortSignal,
): Promise<QueryAnswer> {
  const { athena } = config.query;
  if (athena === undefined) {
    const message = 'Cannot ask Athena: the configuration has no query.athena';
    throw new SightlineError('SL_REQUEST_INVALID', message);
  }
  const { AthenaClient } = await import('@aws-sdk/client-athena');
  const { awsClientConfig } = await import('../../sinks/aws/client.ts');
  const { queryAthena } = await import('../../query/athena.ts');
  const client = new AthenaClient(awsClientConfig(athena, 2));
  try {
    return await queryAthena(client, athena, request, signal);
  } finally {
    client.destroy();
  }
}
