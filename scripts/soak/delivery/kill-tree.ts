import assert from 'node:assert/strict';
import { missingFrames } from '../../../test/support/delivered.ts';
import { isAlive } from '../../../test/support/processes.ts';
import { scrape, total } from '../../../test/support/scrape.ts';
import { until } from '../../../test/support/wait.ts';
import { assertConserved } from '../delivery-checks.ts';
import { DeliveryWorld, pause } from '../delivery-world.ts';
import { summary } from '../report.ts';
import type { DeliverySoak } from './main.ts';

const GONE_MS = 3_000;
const RECOVERY_MS = 120_000;

/** F1 with everything in it: kill -9 of server and workers at any moment, also while the broker is away. */
const killTree: DeliverySoak = async ({ minutes, print, context }) => {
  const world = await DeliveryWorld.start(context);
  const end = performance.now() + minutes * 60_000;
  const restartsMs: number[] = [];
  const recoveriesMs: number[] = [];
  while (performance.now() < end) {
    const isAway = Math.random() < 0.5;
    if (isAway) await world.broker.stop();
    await pause(200, 4_000);
    const processes = world.server.tree().map(({ pid }) => pid);
    const killedAt = performance.now();
    await world.killAndRestart();
    restartsMs.push(performance.now() - killedAt);
    await until('no process is left', GONE_MS, () => !processes.some(isAlive));
    if (isAway) await world.broker.start();
    const samples = await scrape(world.server);
    assertConserved(samples);
    recoveriesMs.push(total(samples, 'outbox_recovery_seconds') * 1000);
    await world.allLive();
  }
  print(`${restartsMs.length} kills; listening again after, ms: ${summary(restartsMs)}`);
  print(`the outbox was ready after, ms: ${summary(recoveriesMs)}`);
  const frames = await world.settle(print, RECOVERY_MS);
  assert.ok(new Set(frames.map(({ session }) => session)).size > restartsMs.length);
  assert.deepEqual(missingFrames(frames), []);
};
export default killTree;
