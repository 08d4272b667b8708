import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import { type ErrorCode, SightlineError } from '../../src/common/errors.ts';
import { ROOT } from '../../src/common/paths.ts';
import { checkSelect } from '../../src/query/check-select.ts';
import { runQuery } from '../../src/query/engine.ts';
import { SAVED_QUERIES } from '../../src/query/saved.ts';
import { START_MS, segmentKey } from '../sinks/samples.ts';
import { folder, job, write, writeSegment } from './files.ts';

const HOUR = 3_600_000;
const part = (root: string, hour: number, number = 1, date = '2026-01-31') =>
  join(root, 'camera=cam-1', `date=${date}`, `hour=${hour}`, `part-000${number}.parquet`);

async function rows(folders: readonly string[], sql: string, ...parameters: (string | number)[]) {
  return (await runQuery(job(folders, sql, { parameters }))).rows;
}

function refused(code: ErrorCode, says: RegExp, hidden: readonly string[] = []) {
  return (error: unknown) => {
    assert.ok(error instanceof SightlineError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, says);
    for (const text of hidden) assert.ok(!error.message.includes(text), error.message);
    return true;
  };
}

test('rows of the real sink, in JSON, by every column', async (context) => {
  const root = folder(context);
  await write(root, [{ sequence: 7 }]);
  const answer = await runQuery(
    job([root], 'SELECT * FROM detections WHERE object_id = ? AND confidence > ?', {
      parameters: ['2', 0.5],
    }),
  );
  const [row, ...rest] = answer.rows;
  assert.equal(rest.length, 0);
  assert.deepEqual(Object.fromEntries(answer.columns.map(({ name }, at) => [name, row![at]])), {
    ...{ timestamp: new Date(START_MS + 231).toISOString(), timestamp_ms: START_MS + 231 },
    ...{ camera_id: 'cam-1', object_id: '2', class: 'person', class_id: 0, confidence: 0.875 },
    ...{ left_x: 11.5, top_y: 20.25, right_x: 110.75, bottom_y: 220.5 },
    ...{ frame_width: 768, frame_height: 576, zones: ['door', 'yard'], lines_crossed: ['gate'] },
    ...{ direction: 'in', model_name: 'ssd', model_version: '3', inferred: true },
    ...{ frames_since_detection: 0, frame_reference: 'pictures/7.jpg', session: 's1' },
    ...{ frame_sequence: 7, record_id: 'cam-1/s1/7', object_index: 1, dt: '2026/01/31/13' },
    pts_ns: 7 * 33_333_333,
    ...{ camera: 'cam-1', date: '2026-01-31', hour: '13' },
  });
  // The same query runs over the table that Terraform makes.
  const glue = readFileSync(join(ROOT, 'deploy/terraform/glue.tf'), 'utf8').split('frames = [')[0]!;
  const table = [...glue.matchAll(/\{ name = "(\w+)"/g)].map(([, name]) => name);
  assert.deepEqual(answer.columns.map(({ name }) => name).slice(0, table.length), table);
});

test('a row that was written twice is there once in detections_once', async (context) => {
  const root = folder(context, "sightline it's [a] query-");
  const other = folder(context);
  await write(root, [{ sequence: 1 }, { sequence: 2 }]);
  await write(root, [{ sequence: 2 }]);
  await write(other, [{ sequence: 3 }]);
  const count = (view: string) => rows([root, other, root], `SELECT count(*) FROM ${view}`);
  assert.deepEqual(await count('detections'), [[8]]);
  assert.deepEqual(await count('detections_once'), [[6]]);
});

test('recorded frames and files are tables beside the detections', async (context) => {
  const root = folder(context);
  await write(root, [{ sequence: 1 }]);
  await writeSegment(root, 90);
  await writeSegment(root, 90);
  const place = { dt: '2026/01/31/13', camera: 'cam-1', date: '2026-01-31', hour: '13' };
  const key = segmentKey();
  for (const [name, expected] of Object.entries({
    frames: {
      ...{ timestamp: new Date(START_MS).toISOString(), timestamp_ms: START_MS },
      ...{ camera_id: 'cam-1', capture_clock: 'rtcp_sender_report', pts_ns: 10_000_000_000 },
      ...{ segment_key: key, byte_offset: 1000, size_bytes: 4990, key_frame: true, session: 's1' },
      ...{ frame_sequence: 100, epoch: 7, record_id: key, ...place },
    },
    segments: {
      ...{ timestamp: new Date(START_MS).toISOString(), timestamp_ms: START_MS },
      ...{ camera_id: 'cam-1', capture_clock: 'rtcp_sender_report', duration_ns: 3_000_000_000 },
      ...{ segment_key: key, content_type: 'video/mp4', codec: 'h264', size_bytes: 451_000 },
      ...{ sha256: 'ab'.repeat(32), frames: 90, closed: true, session: 's1', epoch: 7 },
      ...{ record_id: key, ...place },
    },
  })) {
    const { columns, rows: found } = await runQuery(
      job([root], `SELECT * FROM ${name}_once ORDER BY timestamp_ms LIMIT 1`),
    );
    const row = Object.fromEntries(columns.map((column, at) => [column.name, found[0]![at]]));
    assert.deepEqual(row, expected);
    const glue = readFileSync(join(ROOT, 'deploy/terraform/glue.tf'), 'utf8');
    const table = new RegExp(`    ${name} = \\[\n([^\\]]*)`).exec(glue)?.[1] ?? '';
    const declared = [...table.matchAll(/name = "(\w+)"/g)].map(([, column]) => column);
    assert.deepEqual(Object.keys(row).slice(0, -4), declared);
  }
  const counts = `SELECT (SELECT count(*) FROM frames), (SELECT count(*) FROM frames_once),
    (SELECT count(*) FROM segments), (SELECT count(*) FROM segments_once), (SELECT count(*) FROM detections)`;
  assert.deepEqual(await rows([root], counts), [[180, 90, 2, 1, 2]]);
  // A damaged file of one table is none of another's business.
  writeFileSync(join(root, 'frames', relative(root, part(root, 13))), 'no Parquet');
  assert.deepEqual(await rows([root], 'SELECT count(*) FROM segments_once'), [[1]]);
});

test('folders without files are empty tables with their types, until there are some', async (context) => {
  const root = folder(context);
  const missing = join(root, 'not there');
  const sql = 'SELECT "timestamp", zones, dt FROM detections_once';
  const empty = await runQuery(job([missing, root], sql));
  assert.deepEqual(
    [empty.rows, empty.columns.map(({ type }) => type)],
    [[], ['TIMESTAMP', 'VARCHAR[]', 'VARCHAR']],
  );
  await write(root, [{ sequence: 1 }]);
  assert.equal((await rows([missing, root], sql)).length, 2);
});

test('conditions on the folders keep other files closed, in both views', async (context) => {
  const root = folder(context);
  await write(root, [{ sequence: 1 }, { sequence: 2, atMs: START_MS + HOUR }]);
  for (const [hour, date] of [
    [15, '2026-01-31'],
    [1, '2026-02-01'],
    [23, '2026-01-30'],
  ] as const) {
    const damaged = part(root, hour, 1, date);
    mkdirSync(dirname(damaged), { recursive: true });
    writeFileSync(damaged, 'no Parquet');
  }
  for (const view of ['detections', 'detections_once']) {
    for (const where of [
      "dt BETWEEN '2026/01/31/00' AND '2026/01/31/14'",
      "date = '2026-01-31' AND hour <> '15'",
    ]) {
      const sql = `SELECT count(*) FROM ${view} WHERE ${where}`;
      assert.deepEqual(await rows([root], sql), [[4]], sql);
    }
    await assert.rejects(
      rows([root], `SELECT count(class) FROM ${view}`),
      refused('SL_UNAVAILABLE', /magic bytes|too small|parquet/i, [root]),
    );
  }
});

test('files that are older than a column have null in it, wherever they lie', async (context) => {
  const root = folder(context);
  await write(root, [{ sequence: 1, atMs: START_MS + HOUR }]);
  const made = part(root, 14);
  const database = await DuckDBInstance.create(':memory:');
  const connection = await database.connect();
  const writeOld = async (hour: number): Promise<void> => {
    const old = part(root, hour);
    mkdirSync(dirname(old), { recursive: true });
    const columns = "SELECT * EXCLUDE (pts_ns, camera, date, hour) REPLACE ('old' AS class)";
    await connection.run(`COPY (${columns} FROM '${made}') TO '${old}' (FORMAT parquet)`);
  };
  const sql = 'SELECT class, pts_ns, dt FROM detections_once WHERE object_id = ? ORDER BY dt';
  const fresh = ['person', 33_333_333, '2026/01/31/14'];
  await writeOld(13);
  const older = ['old', null, '2026/01/31/13'];
  assert.deepEqual(await rows([root], sql, '1'), [older, fresh], 'the first in the order of names');
  await writeOld(15);
  const later = ['old', null, '2026/01/31/15'];
  assert.deepEqual(await rows([root], sql, '1'), [older, fresh, later]);
  rmSync(made);
  assert.deepEqual(await rows([root], sql, '1'), [older, later], 'none knows the column');
  // Nor are files opened for it that the query has nothing to do with.
  writeFileSync(part(root, 13), 'no Parquet');
  assert.deepEqual(await rows([root], `SELECT pts_ns FROM detections WHERE hour = '15'`), [
    ...[[null], [null]],
  ]);
  connection.closeSync();
});

test('files may come while others are read', async (context) => {
  const root = folder(context);
  await write(root, [{ sequence: 1 }]);
  const sql = 'SELECT count(*) FROM detections';
  const copy = (number: number) => copyFileSync(part(root, 13), part(root, 13, number));
  const [first] = await Promise.all([rows([root], sql), copy(2), copy(3), copy(4)]);
  assert.ok(Number(first![0]![0]) >= 2 && Number(first![0]![0]) <= 8);
  assert.deepEqual(await rows([root], sql), [[8]]);
});

test('rows end at their limit, and say so', async () => {
  const sql = 'SELECT * FROM range(100000)';
  const cut = await runQuery(job([], sql, { maxRows: 5000 }));
  assert.deepEqual([cut.rows.length, cut.truncated, cut.rows.at(-1)], [5000, true, [4999]]);
  const whole = await runQuery(job([], 'SELECT * FROM range(5000)', { maxRows: 5000 }));
  assert.deepEqual([whole.rows.length, whole.truncated], [5000, false]);
});

test('values of every kind become JSON', async () => {
  const sql = `SELECT 9007199254740993::BIGINT, 1.5::DECIMAL(4,1), 'nan'::DOUBLE, NULL, DATE '2026-01-31',
    {'a': [1, 2], 'b': TIMESTAMP '2026-01-31 13:00:00.25'}, '\\xC3\\xA9'::BLOB, INTERVAL 90 SECOND, ?::INT, ?, ?`;
  const parameters = [3, "it's", null];
  const { rows: answer } = await runQuery(job([], sql, { parameters }));
  assert.deepEqual(JSON.parse(JSON.stringify(answer[0])).slice(0, 7), [
    ...['9007199254740993', 1.5, null, null, '2026-01-31T00:00:00.000Z'],
    ...[{ a: [1, 2], b: '2026-01-31T13:00:00.250Z' }, 'w6k='],
  ]);
  assert.deepEqual(answer[0]!.slice(8), parameters);
});

const HOSTILE: readonly (readonly [sql: string, says: RegExp])[] = [
  ["SELECT * FROM read_csv('/etc/passwd')", /read_csv is not allowed/],
  ["SELECT * FROM read_parquet('/other/*.parquet')", /read_parquet is not allowed/],
  ["SELECT * FROM '/etc/passwd'", /no table/],
  ["SELECT * FROM 'ROOT/secret.csv'", /no table/],
  ["SELECT * FROM read_text('ROOT/secret.csv')", /read_text is not allowed/],
  [`WITH "ROOT/secret.csv" AS (SELECT 1) SELECT * FROM "ROOT/secret.csv"`, /no name for WITH/],
  ["SELECT (SELECT max(content) FROM read_text('/etc/passwd'))", /read_text is not allowed/],
  ["SELECT 1 WHERE 1 IN (SELECT 1 FROM glob('/*'))", /glob is not allowed/],
  ["SELECT 1 UNION ALL SELECT 2 FROM glob('/*')", /glob is not allowed/],
  ["SELECT * FROM range(2) JOIN glob('/*') ON true", /glob is not allowed/],
  ["WITH x AS (SELECT * FROM glob('/*')) SELECT * FROM x", /glob is not allowed/],
  ["SELECT * FROM query('SELECT * FROM detections')", /query is not allowed/],
  ['SELECT * FROM duckdb_settings()', /duckdb_settings is not allowed/],
  ['SELECT * FROM duckdb_views', /no table/],
  ['SELECT * FROM information_schema.tables', /no table/],
  ['SELECT * FROM other.main.detections', /no table/],
  ["SELECT getenv('HOME')", /getenv is not allowed/],
  ["SELECT current_setting('allowed_directories')", /current_setting is not allowed/],
  ['SELECT PG_GET_VIEWDEF(1)', /pg_get_viewdef is not allowed/i],
  ["COPY (SELECT 1) TO 'ROOT/x.csv'", /only a SELECT/],
  ["ATTACH 'ROOT/x.db' AS x", /only a SELECT/],
  ['INSTALL httpfs', /only a SELECT/],
  ['LOAD httpfs', /only a SELECT/],
  ['PRAGMA database_list', /only a SELECT/],
  ['SET threads = 4', /only a SELECT/],
  ['CREATE TABLE x AS SELECT 1', /only a SELECT/],
  ['DROP VIEW detections', /only a SELECT/],
  ["EXPORT DATABASE 'ROOT'", /only a SELECT/],
  ['EXPLAIN ANALYZE SELECT 1', /only a SELECT/],
  ['SHOW TABLES', /only a SELECT/],
  ['CALL pragma_version()', /only a SELECT/],
  ['SELECT 1; SELECT 2', /one statement/],
  ["SELECT 1; COPY (SELECT 1) TO 'ROOT/x.csv'", /only a SELECT/],
  ['', /one statement/],
  ['SELEC 1', /syntax error/],
];

const REFUSED_BY_ENGINE: typeof HOSTILE = [
  ["COPY (SELECT 1) TO 'ROOT/x.csv'", /only a SELECT/],
  ['SELECT nothing FROM detections', /nothing/],
  ['SELECT ?', /1 parameters, and 0 were given/],
  ["SELECT 'x'::INTEGER FROM range(1)", /Conversion Error/],
  // Memory: of the engine.
  ["SELECT length(string_agg(repeat('x', 1000000), '')) FROM range(10000)", /Out of Memory/],
];

test('hostile queries are refused by what the parser makes of them', async () => {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  for (const [sql, says] of HOSTILE) {
    const tree = await connection.runAndReadAll(
      'SELECT CAST(json_serialize_sql(CAST(? AS VARCHAR)) AS VARCHAR)',
      [sql],
    );
    const serialized = String(tree.getRowsJS()[0]![0]);
    assert.throws(() => checkSelect(serialized), refused('SL_REQUEST_INVALID', says), sql);
  }
  connection.disconnectSync();
  instance.closeSync();
});

test('the engine refuses what it cannot do, and tells nothing of the machine', async (context) => {
  const root = folder(context);
  await write(root, [{ sequence: 1 }]);
  for (const [sql, says] of REFUSED_BY_ENGINE) {
    const asked = rows([root], sql.replaceAll('ROOT', root));
    await assert.rejects(asked, refused('SL_REQUEST_INVALID', says, [root]), sql);
  }
  assert.deepEqual(readdirSync(root), ['.staging', 'camera=cam-1']);
});

test('what runs too long is ended, while others get their turn', async () => {
  const sql =
    'SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE a.range * b.range = 7';
  let turns = 0;
  const ticks = setInterval(() => turns++, 5);
  await assert.rejects(
    runQuery(job([], sql, { timeoutMs: 300 })),
    refused('SL_TIMEOUT', /after 300 ms/),
  );
  clearInterval(ticks);
  assert.ok(turns > 5, `${turns} turns`);
});

test('the saved queries run, and the page names them', async (context) => {
  const root = folder(context);
  const now = Date.now();
  await write(root, [
    { sequence: 1, atMs: now - 2000, objects: 3 },
    { sequence: 2, atMs: now - 1000, objects: 3 },
  ]);
  const page = readFileSync(join(ROOT, 'docs/query.md'), 'utf8');
  const found = new Map<string, readonly (readonly unknown[])[]>();
  for (const [name, { sql }] of Object.entries(SAVED_QUERIES)) {
    assert.ok(page.includes(`\`${name}\``), name);
    // Those that take some ask for a camera, an hour and a time.
    const parameters = sql.includes('?') ? ['cam-1', '2026/01/31/13', now, now] : [];
    found.set(name, (await runQuery(job([root], sql, { parameters }))).rows);
  }
  assert.deepEqual(found.get('cameras-silent'), [['cam-1', new Date(now - 1000).toISOString()]]);
  assert.deepEqual(
    found.get('dwell')!.map((row) => row[5]),
    [1, 1, 1],
  );
  const total = (name: string, at: number) =>
    found.get(name)!.reduce((sum, row) => sum + Number(row[at]), 0);
  assert.equal(total('lines-per-hour', 4), 6);
  assert.equal(total('models', 2), 6);
  assert.ok(total('objects-per-hour', 3) >= 3);
});
