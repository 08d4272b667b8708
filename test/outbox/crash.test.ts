import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { metricsOf } from '../support/outbox-metrics.ts';
import { compiledFile } from '../support/programs.ts';
import { assertLinesInOrder, linesOf } from './crash-support.ts';
import { ALL, ackAll, assertConserved, openOutbox, temporaryDir } from './helpers.ts';

const ROUNDS = Number(process.env['SIGHTLINE_CRASH_ROUNDS'] ?? 200);
/** In each lane, for the rounds to show anything. */
const LEAST_DURABLE = 50;
/** Outboxes that are killed side by side; each in its own rounds. */
const LANES = 4;
/** What one kill waits for at most: short, so that many fit into a test. */
const WORK_MS = 40;

/** Starts the child and kills it: now and then while it opens, mostly at work. */
async function runAndKill(script: string, dir: string, round: number): Promise<void> {
  const child: ChildProcess = fork(script, [dir, String(round)], { execArgv: [] });
  const exited = once(child, 'exit');
  const isEarly = Math.random() < 0.2;
  if (!isEarly) await Promise.race([once(child, 'message'), exited]);
  await Promise.race([delay(Math.random() * WORK_MS), exited]);
  assert.equal(child.exitCode, null, 'the child must not end by itself');
  child.kill('SIGKILL');
  await exited;
}

test(`kill -9 at ${ROUNDS} random points: whatever was durable arrives, in order, copies with the same id`, async (context) => {
  const script = await compiledFile('test/outbox/children/crash.ts');
  const dirs = Array.from({ length: LANES }, () => temporaryDir(context));
  await Promise.all(
    dirs.map(async (dir) => {
      const isEnough = (round: number) => round >= ROUNDS / LANES && storedIn(dir) > LEAST_DURABLE;
      // A loaded machine stores little before each kill: it gets more of them.
      for (let round = 0; round < (4 * ROUNDS) / LANES && !isEnough(round); round++) {
        await runAndKill(script, dir, round);
      }
    }),
  );
  for (const dir of dirs) await check(context, dir);
});

function storedIn(dir: string): number {
  return linesOf(join(dir, 'durable')).length;
}

async function check(context: TestContext, dir: string): Promise<void> {
  const outbox = await openOutbox(context, {
    dir: join(dir, 'outbox'),
    sinks: [{ id: 'log', kinds: ['frame', 'image'] }],
  });
  const arrived = linesOf(join(dir, 'delivered'));
  for (;;) {
    const rest = await outbox.read('log', ALL);
    if (rest.length === 0) break;
    for (const { recordId, payload } of rest) {
      arrived.push(`${recordId} ${payload.byteLength} ${payload[0]}`);
    }
    ackAll(outbox, 'log', rest);
  }
  const promised = linesOf(join(dir, 'durable'));
  assert.ok(promised.length > LEAST_DURABLE, `${promised.length} durable records`);
  const unique = new Set(arrived);
  assert.deepEqual(
    promised.filter((line) => !unique.has(line)),
    [],
    'durable records that never arrived, or with other bytes',
  );
  const ids = new Set([...unique].map((line) => line.split(' ')[0]));
  assert.equal(ids.size, unique.size, 'copies of an id are the same record');
  const counts = outbox.countsOf('log');
  assertConserved(counts);
  assert.deepEqual([counts.pending, counts.shed, counts.deadLettered], [0, 0, 0]);

  const metrics = await metricsOf(outbox);
  assert.equal(metrics('outbox_records_delivered_total', { sink: 'log' }), counts.accepted);
  assert.equal(metrics('outbox_corrupt_records_total'), 0);
  assertLinesInOrder(unique);
  context.diagnostic(
    `${promised.length} durable, ${unique.size} arrived, ${arrived.length - unique.size} copies`,
  );
}
