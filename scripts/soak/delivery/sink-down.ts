import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { assertUninterrupted } from '../../../test/support/frame-gaps.ts';
import { scrape, total } from '../../../test/support/scrape.ts';
import { until } from '../../../test/support/wait.ts';
import { assertConserved } from '../delivery-checks.ts';
import { DeliveryWorld, FPS, STREAMS } from '../delivery-world.ts';
import type { DeliverySoak } from './main.ts';

const SAMPLE_MS = 1_000;
/** The longest pause of the back-off, and as much again. */
const RECOVERY_MS = 120_000;
/** Of the frames the cameras send, at least: another sink's outage costs the streams nothing. */
const LIVE_SHARE = 0.9;
/** They are written within a second; the rest is for a machine that does much else. */
const MOST_AGE_OF_FILES_S = 10;
/** As a share of the outage: a backlog is sent much faster than it grew. */
const MOST_CATCH_UP = 0.5;

/** F8: the broker is away for the whole time, then back. Its backlog arrives in order; the streams and the files go on as ever. */
const sinkDown: DeliverySoak = async ({ minutes, print, context }) => {
  const world = await DeliveryWorld.start(context);
  const { server, broker } = world;
  let oldestOfFilesS = 0;
  const look = async () => {
    const samples = await scrape(server);
    assertConserved(samples);
    const age = total(samples, 'outbox_oldest_record_age_seconds', { sink: 'files' });
    oldestOfFilesS = Math.max(oldestOfFilesS, age);
    return {
      files: total(samples, 'outbox_records_delivered_total', { sink: 'files' }),
      lag: total(samples, 'outbox_cursor_lag_records', { sink: 'broker' }),
      ageS: total(samples, 'outbox_oldest_record_age_seconds', { sink: 'broker' }),
      isOpen: total(samples, 'outbox_circuit_state', { sink: 'broker', state: 'open' }) === 1,
    };
  };
  await broker.stop();
  const downAt = performance.now();
  const outageMs = minutes * 60_000;
  const before = await world.framesPublished();
  const { files } = await look();
  let wasOpen = false;
  while (performance.now() - downAt < outageMs) {
    await delay(SAMPLE_MS);
    wasOpen ||= (await look()).isOpen;
  }
  const downMs = performance.now() - downAt;
  const share =
    (((await world.framesPublished()) - before) * 1000) / (downMs * FPS * STREAMS.length);
  const down = await look();
  const toFiles = down.files - files;
  print(
    `away for ${(downMs / 1000).toFixed(0)} s: ${down.lag} frames wait, the oldest ${down.ageS.toFixed(0)} s; ${(share * 100).toFixed(0)} % of the live frames came, ${toFiles} went to files`,
  );
  assert.ok(down.ageS > 0.8 * (downMs / 1000), 'the age of the oldest record tells the outage');
  assert.ok(wasOpen, 'the circuit opens');
  assert.ok(share > LIVE_SHARE, 'the streams are starved');
  assert.ok(toFiles > LIVE_SHARE * down.lag, 'one sink holds up another');

  await broker.start();
  const upAt = performance.now();
  const first = await until('the first of the backlog is sent', RECOVERY_MS, async () => {
    return (await look()).lag < down.lag && performance.now();
  });
  await until('the backlog is gone', RECOVERY_MS + outageMs, async () => (await look()).ageS < 2);
  const catchUpMs = performance.now() - first;
  print(
    `back: noticed within ${((first - upAt) / 1000).toFixed(1)} s, caught up ${(catchUpMs / 1000).toFixed(1)} s later; oldest frame of the files ${oldestOfFilesS.toFixed(1)} s`,
  );
  assert.ok(catchUpMs < Math.max(10_000, MOST_CATCH_UP * outageMs), 'it catches up too slowly');
  assert.ok(oldestOfFilesS < MOST_AGE_OF_FILES_S, 'one sink makes another look behind');
  const frames = await world.settle(print, RECOVERY_MS);
  for (const id of STREAMS) assertUninterrupted(frames, id, { fps: FPS });
};
export default sinkDown;
