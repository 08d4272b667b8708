import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { missingFrames } from '../../../test/support/delivered.ts';
import { scrape, total } from '../../../test/support/scrape.ts';
import { assertConserved } from '../delivery-checks.ts';
import { DeliveryWorld, FPS, STREAMS } from '../delivery-world.ts';
import type { DeliverySoak } from './main.ts';

const BEFORE_MS = 5_000;
const AFTER_MS = 20_000;
const RECOVERY_MS = 120_000;
/** A camera's frames that the network holds for one that sleeps, at most. */
const HELD = 100;

/** F18: everything but the camera and the broker sleeps, as a laptop does with its lid shut, then goes on. */
const suspend: DeliverySoak = async ({ minutes, print, context }) => {
  const world = await DeliveryWorld.start(context);
  const { server } = world;
  await delay(BEFORE_MS);
  const processes = server.tree().map(({ pid }) => pid);
  const before = await world.framesPublished();
  for (const pid of processes) process.kill(pid, 'SIGSTOP');
  await delay(minutes * 60_000);
  for (const pid of processes.toReversed()) process.kill(pid, 'SIGCONT');
  const wokeAt = performance.now();
  await delay(AFTER_MS);
  await world.allLive();
  const liveMs = performance.now() - wokeAt - AFTER_MS;
  const after = await world.framesPublished();
  const awakeS = (performance.now() - wokeAt) / 1000;
  const samples = await scrape(server);
  assertConserved(samples);
  assert.equal(total(samples, 'outbox_records_dead_lettered_total'), 0, 'false dead letters');
  assert.equal(total(samples, 'outbox_records_dropped_total'), 0, 'false losses');
  print(
    `asleep for ${(minutes * 60).toFixed(0)} s; all live ${liveMs < 100 ? 'within' : 'later than'} ${AFTER_MS / 1000} s; ${after - before} frames in the ${awakeS.toFixed(0)} s after`,
  );
  const most = (FPS * awakeS + HELD) * STREAMS.length;
  assert.ok(after - before <= most, `a burst: more than ${most.toFixed(0)} frames`);
  const frames = await world.settle(print, RECOVERY_MS);
  assert.deepEqual(missingFrames(frames), []);
};
export default suspend;
