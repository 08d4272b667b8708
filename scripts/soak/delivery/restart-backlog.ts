import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compiledFile } from '../../../test/support/programs.ts';
import type { DeliverySoak } from './main.ts';

/** Ten minutes, the default, ask for ten million. */
const RECORDS_A_MINUTE = 1_000_000;
const MOST_READY_MS = 10_000;
const MOST_RSS_MIB = 400;

interface Found {
  readonly readyMs: number;
  readonly firstMs: number;
  readonly pending: number;
  readonly accepted: number;
  readonly shed: number;
  readonly bytes: number;
  readonly isOldest: boolean;
  readonly rssMib: number;
}

/** F21: killed with millions of records waiting, an outbox is ready again in seconds, knows them all, and stays small. */
const restartBacklog: DeliverySoak = async ({ minutes, print, context }) => {
  const dir = mkdtempSync(join(tmpdir(), 'sightline-soak-'));
  context.after(() => rmSync(dir, { recursive: true, force: true }));
  const program = await compiledFile('scripts/soak/delivery/children/backlog.ts');
  const count = Math.round(minutes * RECORDS_A_MINUTE);

  const started = performance.now();
  const filling = fork(program, ['fill', dir, String(count)], { execArgv: [] });
  const [, signal] = (await once(filling, 'exit')) as [number, string];
  assert.equal(signal, 'SIGKILL', 'it kills itself once all are stored');
  print(`${count} records stored in ${((performance.now() - started) / 1000).toFixed(0)} s`);

  const child = fork(program, ['restart', dir, '0'], { execArgv: [] });
  const [found] = (await once(child, 'message')) as [Found];
  await once(child, 'exit');
  const { readyMs, firstMs, pending, accepted, shed, bytes, isOldest, rssMib } = found;
  print(
    `ready after ${readyMs.toFixed(0)} ms, the first 1,000 after ${firstMs.toFixed(0)} ms; ${rssMib.toFixed(0)} MiB; ${(bytes / 1e6).toFixed(0)} MB wait`,
  );
  assert.deepEqual([pending, accepted, shed], [count, count, 0]);
  assert.ok(bytes > count * 200, 'what waits is counted again');
  assert.ok(isOldest, 'the oldest comes first');
  assert.ok(readyMs < MOST_READY_MS, 'it is ready too late');
  assert.ok(rssMib < MOST_RSS_MIB, 'it holds the backlog in memory');
};
export default restartBacklog;
