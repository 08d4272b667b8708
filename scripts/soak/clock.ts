import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { readFrames } from '../../test/support/delivered.ts';
import { FakedClock } from '../../test/support/faked-clock.ts';
import { startFaultWorld } from '../../test/support/fault-world.ts';
import { assertUninterrupted, longestGapMs } from '../../test/support/frame-gaps.ts';
import { temporaryFolder } from '../../test/support/server.ts';
import type { Soak } from './report.ts';

const STEPS = [
  '+1h',
  '-1h',
  '+0',
  '1970-01-01 00:00:10',
  '-1h',
  '+1h',
  '1970-01-01 00:00:10',
  '+0',
];
/** Longer than the first-frame limit, the stall limit and the heartbeat limit together would need to fire. */
const STEP_MS = 35_000;

/** The wall clock of server and workers jumps by hours and to 1970: no timer fires, no frame is missed. */
export const clockSteps: Soak = async ({ minutes, print }) => {
  await using own = await temporaryFolder();
  const clock = await FakedClock.make(own.path);
  await using world = await startFaultWorld({
    pipelines: { p1: ['s1', 's2'], p2: ['s3'] },
    env: clock.env,
  });
  const { server } = world;
  await world.allLive(30_000);
  const rounds = Math.max(STEPS.length / 2, Math.floor((minutes * 60_000) / STEP_MS));
  for (let round = 0; round < rounds; round += 1) {
    const step = STEPS[round % STEPS.length]!;
    await clock.set(step);
    await delay(STEP_MS);
    const shown = (await server.request('GET', '/healthz')).headers.get('date');
    const { state, counters } = (await server.stream('s1')).status;
    print(`${step}: the server says ${shown}; s1 ${state}, ${counters.framesPublished} frames`);
  }
  const unrest = server.logs.filter(({ msg }) =>
    /^(stream\.(stalled|degraded|backoff|pending)|worker\.exited)$/.test(msg),
  );
  await server[Symbol.asyncDispose]();
  const frames = await readFrames(`${world.folder}/out`);
  for (const id of world.streams) {
    const mine = frames.filter(({ streamId }) => streamId === id);
    print(`${id}: ${mine.length} frames, longest gap ${longestGapMs(mine).toFixed(0)} ms`);
    assertUninterrupted(frames, id, { fps: 10 });
  }
  assert.deepEqual(unrest, []);
};
