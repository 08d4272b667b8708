import type { Simulation } from './simulation.ts';

/** A fault comes in this share of the seconds. */
const FAULTS = 1 / 25;
const QUIET_S = 60;

/**
 * Minutes in which boxes die, join and stand still at random, and costs drift; then a quiet one. At most a quarter of
 * the boxes is gone at a time.
 */
export async function faultyMinutes(world: Simulation, minutes: number) {
  const { random } = world;
  const least = Math.ceil(world.nodes.length * 0.75);
  let failures = 0;
  await world.run(minutes * 60, async (second) => {
    if (second % 30 === 0) world.drift(0.05);
    if (random() >= FAULTS) return;
    const { alive } = world;
    const what = random();
    if (alive.length <= least || what < 0.3) {
      world.join();
      return;
    }
    failures += 1;
    const node = alive[Math.floor(random() * alive.length)]!;
    if (what < 0.7) await world.kill(node);
    else await world.pause(node, 5_000 + 40_000 * random());
  });
  await world.run(QUIET_S);
  return { failures };
}
