import { setImmediate as nextTurn } from 'node:timers/promises';

/** Work that nothing else waits for longer. */
const TURN_MS = 5;

/** Does something with each, and lets the process do other things between them: for work that takes long. */
export async function eachInTurns<T>(items: readonly T[], work: (item: T) => void): Promise<void> {
  let turnStarted = performance.now();
  for (const item of items) {
    work(item);
    if (performance.now() - turnStarted < TURN_MS) continue;
    await nextTurn();
    turnStarted = performance.now();
  }
}
