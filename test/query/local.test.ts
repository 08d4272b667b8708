import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { QueryView } from '../../src/api/dependencies.ts';
import { SightlineClient } from '../../src/client/index.ts';
import { LocalQueries } from '../../src/query/local.ts';
import type { QueryRequest } from '../../src/query/request.ts';
import { answerLines } from '../../src/services/query/print.ts';
import { apiUnderTest } from '../api/double.ts';
import { LOADER, moduleFile } from '../support/programs.ts';
import { until } from '../support/wait.ts';
import { folder, write } from './files.ts';

const ENDLESS =
  'SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range * b.range = 7';

function request(sql: string, more: Partial<QueryRequest> = {}): QueryRequest {
  return { sql, parameters: [], maxRows: 100, timeoutMs: 60_000, ...more };
}

test('a query has a process of its own: its memory, end and number are bounded', async (context) => {
  const root = folder(context);
  await write(root, [{ sequence: 1 }, { sequence: 2 }]);
  const queries = new LocalQueries({ folders: [root], memoryBytes: 64 * 1024 * 1024 });
  const end = new AbortController();
  // Texts on their way into the answer, which the engine does not count; and one that never ends.
  const [greedy, endless] = [
    queries.run(request("SELECT repeat('x', 1000000) FROM range(100000)")),
    queries.run(request(ENDLESS), end.signal),
  ];
  await assert.rejects(queries.run(request('SELECT 1')), { code: 'SL_UNAVAILABLE' });
  await assert.rejects(greedy, { code: 'SL_REQUEST_INVALID', message: /too much memory|bytes/ });
  const answer = await queries.run(
    request('SELECT object_id, count(*) AS n FROM detections GROUP BY 1 ORDER BY 1'),
  );
  assert.deepEqual(answer.rows, [
    ['1', 2],
    ['2', 2],
  ]);
  end.abort();
  await assert.rejects(endless, { code: 'SL_CLOSED' });
});

test('the process of a query does not outlive its server', async () => {
  const child = fork(moduleFile('src/query/child.ts'), [], {
    execArgv: [...LOADER],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const gone = once(child, 'exit');
  const memoryBytes = 64 * 1024 * 1024;
  child.send({ ...request(ENDLESS), folders: [], memoryBytes });
  // Its thread is at work: with the start behind it, seconds of its CPU can be of nothing else.
  await until('the query runs', 60_000, () => cpuSeconds(child.pid!) > 3);
  child.disconnect();
  await until('it has ended', 10_000, () => child.signalCode !== null);
  await gone;
});

/** Of a process and its threads, by Linux' count of hundredths. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

test('the API answers where it is on, with problems for what is wrong', async (context) => {
  const root = folder(context);
  await write(root, [{ sequence: 1 }]);
  const queries = new LocalQueries({ folders: [root], memoryBytes: 64 * 1024 * 1024 });
  const ask = async (query?: QueryView) => {
    const { app } = await apiUnderTest(query === undefined ? {} : { query });
    context.after(() => app.close());
    return new SightlineClient({ baseUrl: await app.listen({ host: '127.0.0.1', port: 0 }) });
  };
  const client = await ask({
    run: (asked, signal) => queries.run({ ...asked, timeoutMs: 60_000 }, signal),
  });
  const sql = 'SELECT object_id FROM detections_once WHERE camera_id = ? ORDER BY 1';
  const { rows, truncated } = await client.query(sql, { parameters: ['cam-1'], limit: 1 });
  assert.deepEqual([rows, truncated], [[['1']], true]);
  await assert.rejects(client.query("COPY (SELECT 1) TO '/tmp/x'"), {
    ...{ status: 400, code: 'SL_REQUEST_INVALID', message: /only a SELECT/ },
  });
  await assert.rejects((await ask()).query('SELECT 1'), { status: 404, code: 'SL_NOT_FOUND' });
});

test('answers as lines', () => {
  const answer = {
    columns: ['class', 'zones'].map((name) => ({ name, type: 'VARCHAR' })),
    rows: [
      ['a,"b"', ['x']],
      ['\u001b[2J', null],
    ],
    ...{ truncated: false, elapsedMs: 1 },
  };
  assert.deepEqual(answerLines(answer, 'csv'), [
    'class,zones',
    '"a,""b""","[""x""]"',
    '\u001b[2J,',
  ]);
  assert.deepEqual(
    answerLines(answer, 'json').map((line) => JSON.parse(line)),
    [
      { class: 'a,"b"', zones: ['x'] },
      { class: '\u001b[2J', zones: null },
    ],
  );
  assert.deepEqual(answerLines(answer, 'table'), [
    'class  zones',
    '-----  -----',
    'a,"b"  ["x"]',
    ' [2J',
  ]);
});
