import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { FakedClock } from '../../../test/support/faked-clock.ts';
import { assertUninterrupted } from '../../../test/support/frame-gaps.ts';
import { scrape, total } from '../../../test/support/scrape.ts';
import { temporaryFolder } from '../../../test/support/server.ts';
import { assertConserved } from '../delivery-checks.ts';
import { DeliveryWorld, FPS, STREAMS } from '../delivery-world.ts';
import type { DeliverySoak } from './main.ts';

const STEPS = ['+1h', '2099-01-01 00:00:00', '-1h', '1970-01-01 00:00:10', '+0'];
const LEAST_STEP_MS = 4_000;
const RECOVERY_MS = 120_000;

/**
 * F17: the wall clock jumps by hours, to 1970 and to 2099, at each step with the broker away, then back: nothing is
 * given up as too old, ages stay true, and delivery goes on at its pace.
 */
const clock: DeliverySoak = async ({ minutes, print, context }) => {
  const own = await temporaryFolder();
  context.after(() => own[Symbol.asyncDispose]());
  const faked = await FakedClock.make(own.path);
  const world = await DeliveryWorld.start(context, faked.env);
  const { server, broker } = world;
  const stepMs = Math.max(LEAST_STEP_MS, (minutes * 60_000) / STEPS.length / 2);
  for (const step of STEPS) {
    await broker.stop();
    await delay(stepMs / 2);
    await faked.set(step);
    await delay(stepMs / 2);
    const samples = await scrape(server);
    assertConserved(samples);
    const ageS = total(samples, 'outbox_oldest_record_age_seconds', { sink: 'broker' });
    const lag = total(samples, 'outbox_cursor_lag_records', { sink: 'broker' });
    print(`${step}: ${lag} frames wait, the oldest ${ageS.toFixed(1)} s`);
    assert.ok(lag > 0, 'an outage without a backlog');
    assert.ok(ageS >= 0 && ageS < (minutes * 60 + 120) * 2, 'the age follows the wall clock');
    await broker.start();
    await delay(stepMs);
  }
  const lag = total(await scrape(server), 'outbox_cursor_lag_records', { sink: 'broker' });
  print(`at the end ${lag} frames wait`);
  const frames = await world.settle(print, RECOVERY_MS);
  for (const id of STREAMS) assertUninterrupted(frames, id, { fps: FPS });
};
export default clock;
