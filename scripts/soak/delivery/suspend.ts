import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { missingFrames } from '../../../test/support/delivered.ts';
import { scrape, total } from '../../../test/support/scrape.ts';
import { assertConserved } from '../delivery-checks.ts';
import { DeliveryWorld, FPS, STREAMS } from '../delivery-world.ts';
import type { DeliverySoak } from './main.ts';

const BEFORE_MS = 5_000;
const AFTER_MS = 20_000;
/** `degraded` streams send frames, too: this camera tells no time. */
const LIVE_MS = 60_000;
const RECOVERY_MS = 120_000;
/** Frames of a stream that the times of this scenario are uncertain by. */
const SLACK = 50;

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
  const states = await Promise.all(
    STREAMS.map(async (id) => (await server.streamIn(id, ['live', 'degraded'], LIVE_MS)).status),
  );
  const after = await world.framesPublished();
  const awakeS = (performance.now() - wokeAt) / 1000;
  const samples = await scrape(server);
  assertConserved(samples);
  assert.equal(total(samples, 'outbox_records_dead_lettered_total'), 0, 'false dead letters');
  assert.equal(total(samples, 'outbox_records_dropped_total'), 0, 'false losses');
  print(
    `asleep for ${(minutes * 60).toFixed(0)} s; then ${states.map(({ state }) => state).join(', ')}; ${after - before} frames in the ${awakeS.toFixed(0)} s after`,
  );
  // The network holds what the camera sent meanwhile for one that sleeps.
  const most = (FPS * (awakeS + minutes * 60) + SLACK) * STREAMS.length;
  assert.ok(after - before <= most, `a burst: more than ${most.toFixed(0)} frames`);
  const frames = await world.settle(print, RECOVERY_MS);
  assert.deepEqual(missingFrames(frames), []);
};
export default suspend;
