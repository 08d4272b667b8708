// What assigning streams costs by the size of the fleet, and what it does under failures: the real leases, documents,
// election and assigner on a SQLite store in memory, with machines and a clock that are simulated (test/fleet).
//   node --import tsx bench/fleet.ts [--sizes 1000x20,3000x60,10000x200] [--minutes 5] [--seed 1]
// After a start, `--minutes` of boxes that die, join and stand still at random (one fault in 25 s) with costs that drift,
// then a box and the assigner with its box are lost, each on its own. A round is one look of the assigner at the fleet and
// all that follows, in ms of CPU. `plan` is the bare algorithm, without a store: of streams that have a place, and of all at once.
import { parseArgs } from 'node:util';
import { assign, type NodeRoom, type StreamLoad } from '../src/fleet/assign.ts';
import { faultyMinutes } from '../test/fleet/simulated-faults.ts';
import { Simulation } from '../test/fleet/simulation.ts';
import { quantile } from './support/quantile.ts';

const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '1000x20,3000x60,10000x200,10000x20' },
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string', default: '1' },
  },
});
const SETTINGS = { threshold: 0.1, dampening: 0.6, maxMoves: 100 };
const PLANS = 20;
const START_S = 60;
const SETTLE_S = 300;

const ms = (of: readonly number[], share: number) => quantile(of, share).toFixed(1);

/** Median ms of one plan. */
function planMs(nodes: readonly NodeRoom[], streams: readonly StreamLoad[]): string {
  const took = Array.from({ length: PLANS }, () => {
    const from = performance.now();
    assign(nodes, streams, SETTINGS);
    return performance.now() - from;
  });
  return ms(took, 0.5);
}

/** Longest time a stream ran nowhere after `node` was killed, s. */
async function gapAfterLoss(world: Simulation, node: Simulation['nodes'][number]): Promise<number> {
  world.longestGapMs = 0;
  await world.kill(node);
  await world.run(40);
  return world.longestGapMs / 1_000;
}

async function measure(streams: number, nodes: number): Promise<void> {
  const world = await Simulation.start({ streams, nodes, seed: Number(values.seed) });
  await world.run(START_S);
  const placed = [...world.alive].flatMap(({ id: node, running }) =>
    [...running.keys()].map((id) => ({ id, node, cost: world.costs.get(id)!, movable: true })),
  );
  const bare = {
    placed: planMs(world.alive, placed),
    all: planMs(
      world.alive,
      placed.map(({ node: _node, ...stream }) => stream),
    ),
  };
  console.log(`\n${streams} streams on ${nodes} workers`);
  console.log(
    `  start: ${world.uncovered} without an owner, ${world.imbalance().toFixed(3)} off the mean at most`,
  );
  console.log(
    `  rounds of the start: ${ms(world.roundMs, 0.5)} ms, at most ${ms(world.roundMs, 1)}`,
  );
  console.log(
    `  plan: ${bare.placed} ms with everything in its place, ${bare.all} ms for all streams at once`,
  );

  world.roundMs.length = 0;
  await world.run(START_S);
  console.log(`  rounds at rest: ${ms(world.roundMs, 0.5)} ms, at most ${ms(world.roundMs, 1)}`);

  world.roundMs.length = 0;
  world.longestGapMs = 0;
  const before = world.moves;
  const { failures } = await faultyMinutes(world, Number(values.minutes));
  const { lost, released, balance } = world.moves;
  const anew = lost + released - before.lost - before.released;
  console.log(
    `  ${failures} failures in ${values.minutes} minutes: ${anew} of ${world.lostStreams + world.givenToFailed} streams lost placed anew, ` +
      `${balance - before.balance} moves for balance, ${world.uncovered} without an owner, ${world.doubles} with two, at most ${world.longestGapMs / 1_000} s without one`,
  );
  console.log(
    `  rounds meanwhile: ${ms(world.roundMs, 0.5)} ms, p99 ${ms(world.roundMs, 0.99)}, at most ${ms(world.roundMs, 1)}`,
  );
  await world.run(SETTLE_S);
  console.log(`  ${SETTLE_S} s later: ${world.imbalance().toFixed(3)} off the mean at most`);
  const box = await gapAfterLoss(world, world.alive.find((each) => each !== world.leader)!);
  const leader = await gapAfterLoss(world, world.leader!);
  console.log(`  loss of a box: ${box} s, of the assigner with its box: ${leader} s`);
  await world.close();
}

for (const size of values.sizes.split(',')) {
  const [streams, nodes] = size.split('x').map(Number);
  await measure(streams!, nodes!);
}
