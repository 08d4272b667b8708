import assert from 'node:assert/strict';
import { assertUninterrupted } from '../../../test/support/frame-gaps.ts';
import { scrape, total } from '../../../test/support/scrape.ts';
import { assertConserved } from '../delivery-checks.ts';
import { DeliveryWorld, FPS, pause, STREAMS } from '../delivery-world.ts';
import type { DeliverySoak } from './main.ts';

const RECOVERY_MS = 120_000;

/** The broker comes and goes every few seconds: what it takes counts, and the rest is sent again in order. */
const flappingSink: DeliverySoak = async ({ minutes, print, context }) => {
  const world = await DeliveryWorld.start(context);
  const { server, broker } = world;
  const end = performance.now() + minutes * 60_000;
  let flaps = 0;
  while (performance.now() < end) {
    await broker.stop();
    await pause(500, 3_000);
    await broker.start();
    await pause(500, 5_000);
    flaps += 1;
    assertConserved(await scrape(server));
  }
  const samples = await scrape(server);
  const delivered = total(samples, 'outbox_records_delivered_total', { sink: 'broker' });
  const failed = samples
    .filter(
      ({ name, labels }) =>
        name.endsWith('send_duration_seconds_count') && labels['sink'] === 'broker',
    )
    .map(({ labels, value }) => `${value} ${labels['outcome']}`);
  print(`${flaps} flaps; delivered meanwhile: ${delivered}; attempts: ${failed.join(', ')}`);
  assert.ok(delivered > 0, 'nothing came through');
  const frames = await world.settle(print, RECOVERY_MS);
  for (const id of STREAMS) assertUninterrupted(frames, id, { fps: FPS });
};
export default flappingSink;
