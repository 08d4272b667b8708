import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WorkerView } from '../../src/control/types.ts';
import { startFaultWorld } from '../support/fault-world.ts';
import { until } from '../support/wait.ts';

const LIVE_MS = 20_000;
const FOUND_MS = 60_000;

test('a stream that crashes every worker it is in is found and quarantined; the others go on', async () => {
  await using world = await startFaultWorld({ pipelines: { p: ['good-1', 'bad', 'good-2'] } });
  const { server } = world;
  await world.allLive(LIVE_MS);
  const crashed = new Set<number>();
  const found = await until('the bad stream is quarantined', FOUND_MS, async () => {
    const { status } = await server.stream('bad');
    if (status.state === 'quarantined') return status;
    const { items } = await server.json<{ items: WorkerView[] }>('/v1/workers');
    for (const { pid, streams } of items) {
      if (pid === undefined || !streams.includes('bad') || crashed.has(pid)) continue;
      if (status.state !== 'live') continue;
      crashed.add(pid);
      process.kill(pid, 'SIGSEGV');
    }
    return undefined;
  });
  assert.equal(found.reason?.code, 'SL_STREAM_QUARANTINED');
  for (const id of ['good-1', 'good-2']) await server.streamIn(id, ['live'], LIVE_MS);
  const { pid } = await world.worker('p');
  assert.ok(!crashed.has(pid!), 'the good streams are in a worker that was not crashed');
});
