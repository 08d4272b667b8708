import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { startFaultWorld } from '../../test/support/fault-world.ts';
import { isAlive } from '../../test/support/processes.ts';
import { until } from '../../test/support/wait.ts';
import { type Soak, summary } from './report.ts';

const ROUNDS = 20;
const GONE_MS = 3_000;

/** The server is killed at any moment of its start and its life: three seconds later no process of it is left. */
export const orphans: Soak = async ({ print }) => {
  await using world = await startFaultWorld({ pipelines: { p1: ['s1', 's2'], p2: ['s3'] } });
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    // Also while workers start: from 0 to 3 s after it listens.
    await delay((round / ROUNDS) * 3_000);
    const processes = world.server.tree().map(({ pid }) => pid);
    world.server.signal('SIGKILL');
    const killedAt = performance.now();
    await until('no process is left', GONE_MS, () => !processes.some(isAlive));
    times.push(performance.now() - killedAt);
    assert.ok(processes.length >= 1);
    await world.restart();
  }
  print(`last process gone after, ms: ${summary(times)}`);
  print(`  ${times.map((time) => time.toFixed(0)).join(' ')}`);
  await world.allLive(30_000);
};
