import assert from 'node:assert/strict';
import { startFaultWorld } from '../../test/support/fault-world.ts';
import { figuresOf, growth, type Soak, print as text } from './report.ts';

const CYCLES = 200;
const MOST_GROWTH_MB = 10;

/** 200 pipelines are started, live, and removed in one server, beside one that stays: it holds no more than before. */
export const startStop: Soak = async ({ print }) => {
  await using world = await startFaultWorld({ pipelines: { stays: ['stays'] } });
  const { server } = world;
  await world.allLive(30_000);
  const samples = [figuresOf(server.pid)];
  for (let cycle = 1; cycle <= CYCLES; cycle += 1) {
    const id = `cycle-${cycle}`;
    const source = { type: 'rtsp', url: world.camera.urlOf('cam') };
    const made = await server.request('POST', '/v1/streams', { id, source });
    assert.equal(made.status, 201, await made.text());
    await server.streamIn(id, ['live'], 30_000);
    assert.equal((await server.request('DELETE', `/v1/streams/${id}`)).status, 204);
    samples.push(figuresOf(server.pid));
    if (cycle % 20 === 0) print(`${cycle} cycles: ${text(samples.at(-1)!)}`);
  }
  const { first, last } = growth(samples);
  print(`medians of the first and last third after warm-up: ${text(first)} -> ${text(last)}`);
  assert.ok(last.rssMb - first.rssMb <= MOST_GROWTH_MB, 'the control process grows');
  assert.ok(Math.abs(last.fds - first.fds) <= 2, 'descriptors are left open');
  assert.ok(Math.abs(last.threads - first.threads) <= 2, 'threads are left behind');
  const { status } = await server.stream('stays');
  assert.equal(status.state, 'live');
  assert.equal(status.counters.reconnects, 0, 'the pipeline beside them was disturbed');
};
