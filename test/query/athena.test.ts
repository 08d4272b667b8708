import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  AthenaClient,
  GetQueryExecutionCommand,
  ListQueryExecutionsCommand,
} from '@aws-sdk/client-athena';
import { parameterText, queryAthena } from '../../src/query/athena.ts';
import { Moto, noMoto } from '../support/moto.ts';

/**
 * moto runs no query: it tells the states of an execution and then gives the rows it was told to. What SQL means in Athena
 * is the matter of `npm run check:athena`.
 */
const SETTINGS = { workGroup: 'primary', database: 'sightline', catalog: 'AwsDataCatalog' };
let moto: Moto;
let client: AthenaClient;

before(async () => {
  if (noMoto) return;
  moto = await Moto.start();
  client = new AthenaClient({ ...moto.client, maxAttempts: 1 });
});
after(async () => {
  client?.destroy();
  await moto?.close();
});

async function tell(path: string, body: object): Promise<void> {
  const response = await fetch(`${moto.client.endpoint}/moto-api/${path}`, {
    method: 'POST',
    body: JSON.stringify(body),
  });
  assert.ok(response.ok, await response.text());
}

const pollsBefore = (times: number) =>
  tell('state-manager/set-transition', {
    model_name: 'athena::execution',
    transition: { progression: 'manual', times },
  });

const request = (sql: string, more = {}) => ({
  ...{ sql, parameters: [], maxRows: 2, timeoutMs: 20_000 },
  ...more,
});

test('rows of Athena come by their types, after it was asked again', { skip: noMoto }, async () => {
  await pollsBefore(1);
  const cells = (...texts: (string | undefined)[]) => ({
    Data: texts.map((text) => (text === undefined ? {} : { VarCharValue: text })),
  });
  const times = ['2026-01-31 13:00:00.033', '2026-01-31 13:00:00.033 UTC'];
  await tell('static/athena/query-results', {
    results: [
      {
        rows: [
          cells('class', 'n', 'big', 'share', 'ok', 'at', 'seen'),
          cells('person', '3', '9007199254740993', '0.5', 'true', ...times),
          cells(undefined, '4', '12', 'NaN', 'false', undefined, '2026-01-31 13:00 Europe/Berlin'),
          cells('car', '5', '13', '1', 'true', ...times),
        ],
        column_info: Object.entries({
          ...{ class: 'varchar', n: 'integer', big: 'bigint', share: 'double', ok: 'boolean' },
          ...{ at: 'timestamp', seen: 'timestamp with time zone' },
        }).map(([Name, Type]) => ({ Name, Type })),
      },
    ],
  });
  const sql = 'SELECT * FROM detections_once WHERE dt = ? AND class_id > ?';
  const parameters = ["2026/01/31/13' OR '1", 3];
  const answer = await queryAthena(client, SETTINGS, request(sql, { parameters }));
  const time = '2026-01-31T13:00:00.033Z';
  assert.deepEqual(answer.rows, [
    ['person', 3, '9007199254740993', 0.5, true, time, time],
    [null, 4, 12, null, false, null, '2026-01-31 13:00 Europe/Berlin'],
  ]);
  assert.equal(answer.truncated, true);
  assert.deepEqual(answer.columns[1], { name: 'n', type: 'integer' });
  const { QueryExecutionIds: ids } = await client.send(new ListQueryExecutionsCommand({}));
  const QueryExecutionId = ids!.at(-1)!;
  const { QueryExecution: seen } = await client.send(
    new GetQueryExecutionCommand({ QueryExecutionId }),
  );
  assert.deepEqual([seen?.Query, seen?.WorkGroup], [sql, 'primary']);
  assert.equal(seen?.QueryExecutionContext?.Database, 'sightline');
  assert.deepEqual(seen?.ExecutionParameters, ["'2026/01/31/13'' OR ''1'", '3']);
});

test('one that takes too long is stopped', { skip: noMoto }, async () => {
  await pollsBefore(100_000);
  const late = queryAthena(client, SETTINGS, request('SELECT 1', { timeoutMs: 1_500 }));
  await assert.rejects(late, { code: 'SL_TIMEOUT' });
  const { QueryExecutionIds: ids } = await client.send(new ListQueryExecutionsCommand({}));
  const states = await Promise.all(
    ids!.map(async (QueryExecutionId) => {
      const command = new GetQueryExecutionCommand({ QueryExecutionId });
      return (await client.send(command)).QueryExecution?.Status?.State;
    }),
  );
  assert.ok(states.includes('CANCELLED'), states.join());
});

test('an end that cannot be reached is told as such, also when it is not Athena', async () => {
  const nobody = new AthenaClient({
    ...{ endpoint: 'http://127.0.0.1:9', region: 'us-east-1', maxAttempts: 1 },
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  });
  await assert.rejects(queryAthena(nobody, SETTINGS, request('SELECT 1')), {
    code: 'SL_UNAVAILABLE',
  });
});

test('an answer has a limit of bytes', { skip: noMoto }, async () => {
  await pollsBefore(1);
  const row = { Data: [{ VarCharValue: 'x'.repeat(1_000_000) }] };
  await tell('static/athena/query-results', {
    results: [
      {
        rows: [{ Data: [{ VarCharValue: 'text' }] }, ...Array<object>(17).fill(row)],
        column_info: [{ Name: 'text', Type: 'varchar' }],
      },
    ],
  });
  const large = queryAthena(client, SETTINGS, request('SELECT text', { maxRows: 100 }));
  await assert.rejects(large, { code: 'SL_REQUEST_INVALID', message: /16777216 bytes/ });
});

test('parameters are literals of the types that DuckDB binds them as', () => {
  // With a point alone it would be a decimal.
  assert.deepEqual([null, true, 7, -1.5, 1e21, 2 ** 60, "it's"].map(parameterText), [
    ...['NULL', 'true', '7', '-1.5E0', '1e+21', '1152921504606847000E0', "'it''s'"],
  ]);
});
