import { setTimeout as delay } from 'node:timers/promises';

/** Polls until `probe` gives something (not undefined, not false) and returns it; fails with `what` after the limit. */
export async function until<T>(
  what: string,
  withinMs: number,
  probe: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  let lastError: unknown;
  for (;;) {
    try {
      const value = await probe();
      if (value !== undefined && value !== false) return value;
    } catch (error) {
      lastError = error;
    }
    if (performance.now() > deadline) {
      throw new Error(`Waited ${withinMs} ms in vain: ${what}`, { cause: lastError });
    }
    await delay(50);
  }
}
