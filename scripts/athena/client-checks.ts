import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { until } from '../../test/support/wait.ts';
import { hourOf } from './data.ts';
import type { World } from './world.ts';

/** What the client does with parameters, types, pages, errors and time. */
export function checkClient(worldOf: () => World): void {
  describe('the client', () => {
    it('binds parameters as values, whatever they hold', async () => {
      const parameters = [
        "it's ? -- /* '' */ 人\n",
        -5,
        0.25,
        9_007_199_254_740_991,
        1e21,
        true,
        null,
      ];
      const sql = `SELECT ${parameters.map((_, at) => `? AS p${at}`).join(', ')}`;
      const { rows } = await worldOf().athena(sql, { parameters });
      assert.deepEqual(rows, [[parameters[0], -5, 0.25, 9_007_199_254_740_991, 1e21, true, null]]);
      const camera = "gate'3";
      const count = `SELECT count(*) > 0 FROM detections WHERE camera_id = ? AND dt = ?`;
      const given = [camera, hourOf(worldOf().hours.at(-1)!)];
      assert.deepEqual((await worldOf().athena(count, { parameters: given })).rows, [[true]]);
      // 0.1 has 32 bits there, and is a little more than 0.1 of 64.
      const above = 'SELECT count(*) FROM detections WHERE confidence > ? AND confidence <= ?';
      for (const range of [
        [0.1, 0.2],
        [0, 0.1],
      ]) {
        const { rows: there } = await worldOf().athena(above, { parameters: range });
        assert.deepEqual(there, (await worldOf().local(['objects'], above, range)).rows);
      }
    });

    it('reads every type of value', async () => {
      const values: Record<string, readonly [sql: string, expected: unknown, type: string]> = {
        b: ['true', true, 'boolean'],
        i: ['CAST(1 AS tinyint)', 1, 'tinyint'],
        l: ['9007199254740993', '9007199254740993', 'bigint'],
        r: ['CAST(0.1 AS real)', 0.1, 'float'],
        d: ['1e10', 1e10, 'double'],
        nan: ['nan()', null, 'double'],
        c: ['1.50', '1.50', 'decimal'],
        s: ['\'a, "b"\'', 'a, "b"', 'varchar'],
        empty: ["''", '', 'varchar'],
        n: ['CAST(NULL AS varchar)', null, 'varchar'],
        t: ["TIMESTAMP '2026-01-31 13:00:00.033'", '2026-01-31T13:00:00.033Z', 'timestamp'],
        z: [
          "TIMESTAMP '2026-01-31 13:00:00.033 UTC'",
          '2026-01-31T13:00:00.033Z',
          'timestamp with time zone',
        ],
        y: ["DATE '2026-01-31'", '2026-01-31', 'date'],
        a: ["ARRAY['a', NULL, 'b']", '[a, null, b]', 'array'],
        w: ["CAST(ROW('a', 1) AS row(x varchar, y integer))", '{x=a, y=1}', 'row'],
      };
      const sql = `SELECT ${Object.entries(values)
        .map(([name, [text]]) => `${text} AS ${name}`)
        .join(', ')}`;
      const { rows, columns } = await worldOf().athena(sql);
      assert.deepEqual(rows, [Object.values(values).map(([, expected]) => expected)]);
      assert.deepEqual(
        columns,
        Object.entries(values).map(([name, [, , type]]) => ({ name, type })),
      );
    });

    it('takes as many rows as asked for, over pages', async () => {
      const sql = 'SELECT x FROM UNNEST(sequence(1, 2500)) AS t (x) ORDER BY x';
      const all = await worldOf().athena(sql, { maxRows: 2500 });
      assert.deepEqual([all.rows.length, all.rows.at(-1), all.truncated], [2500, [2500], false]);
      for (const maxRows of [1, 998, 999, 1000, 1001, 1999, 2499]) {
        const some = await worldOf().athena(sql, { maxRows });
        assert.deepEqual([some.rows.length, some.truncated], [maxRows, true]);
        assert.deepEqual(some.rows.at(-1), [maxRows]);
      }
      const none = await worldOf().athena(`${sql} LIMIT 0`);
      assert.deepEqual([none.rows, none.columns], [[], [{ name: 'x', type: 'bigint' }]]);
    });

    it('says what is wrong with a query', async () => {
      const wrong: Record<string, RegExp> = {
        'SELEC 1': /mismatched input 'SELEC'/,
        'SELECT nothing FROM detections': /COLUMN_NOT_FOUND.*'nothing'/,
        'SELECT * FROM nothing': /TABLE_NOT_FOUND.*nothing/,
        'SELECT 1 / 0': /DIVISION_BY_ZERO/,
        'SELECT ?': /Incorrect number of parameters/,
        'SELECT strftime(now(), 1)': /FUNCTION_NOT_FOUND/,
      };
      for (const [sql, message] of Object.entries(wrong)) {
        await assert.rejects(worldOf().athena(sql), { code: 'SL_REQUEST_INVALID', message }, sql);
      }
      const unknown = worldOf().athena('SELECT 1', { workGroup: 'nobody' });
      await assert.rejects(unknown, { code: 'SL_REQUEST_INVALID' });
      const long = worldOf().athena('SELECT ?', { parameters: ['x'.repeat(1100)] });
      await assert.rejects(long, { code: 'SL_REQUEST_INVALID', message: /1024/ });
    });

    it('stops what takes too long', async () => {
      const endless =
        'SELECT count(*) FROM UNNEST(sequence(1, 10000)) a (x) CROSS JOIN UNNEST(sequence(1, 10000)) b (y) CROSS JOIN UNNEST(sequence(1, 10000)) c (z) WHERE x * y * z = 7';
      await assert.rejects(worldOf().athena(endless, { timeoutMs: 3000 }), { code: 'SL_TIMEOUT' });
      assert.equal(worldOf().server.executions.at(-1)?.state, 'CANCELLED');
      await until('Trino runs nothing any more', 30_000, async () => {
        const answer = await fetch(`${worldOf().trino.url}/v1/query`, {
          headers: { 'x-trino-user': 'check' },
        });
        const queries = (await answer.json()) as { query: string; state: string }[];
        const states = queries.filter(({ query }) => query === endless).map(({ state }) => state);
        return states.length === 1 && states[0] === 'FAILED';
      });
    });
  });
}
