import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readFrames } from '../support/delivered.ts';
import { FakedClock } from '../support/faked-clock.ts';
import { startFaultWorld } from '../support/fault-world.ts';
import { assertUninterrupted } from '../support/frame-gaps.ts';
import { temporaryFolder } from '../support/server.ts';
import { until } from '../support/wait.ts';

const STEPS = ['+1h', '-1h', '1970-01-01 00:00:10', '+0'] as const;

test('a wall clock that jumps an hour or to 1970 disturbs no stream and no timer', async () => {
  await using own = await temporaryFolder();
  const clock = await FakedClock.make(own.path);
  await using world = await startFaultWorld({
    pipelines: { p: ['s1', 's2'] },
    fps: 20,
    env: clock.env,
  });
  const { server } = world;
  await world.allLive(30_000);
  for (const step of STEPS) {
    await clock.set(step);
    const seen = await until(`the server's clock is at ${step}`, 10_000, async () => {
      return clock.shows(
        step,
        Date.parse((await server.request('GET', '/healthz')).headers.get('date') ?? ''),
      );
    });
    assert.ok(seen);
    const before = (await server.stream('s1')).status.counters.framesPublished;
    await until('20 more frames', 10_000, async () => {
      return (await server.stream('s1')).status.counters.framesPublished >= before + 20;
    });
  }
  for (const id of world.streams) {
    const { status } = await server.stream(id);
    assert.equal(status.state, 'live');
    assert.equal(status.counters.reconnects, 0);
    assert.equal(status.counters.workerRestarts, 0);
  }
  const unrest = server.logs.filter(({ msg }) => /^stream\.(stalled|degraded|backoff)$/.test(msg));
  assert.deepEqual(unrest, []);
  await server[Symbol.asyncDispose]();
  const frames = await readFrames(`${world.folder}/out`);
  for (const id of world.streams) assertUninterrupted(frames, id, { fps: 20 });
});
