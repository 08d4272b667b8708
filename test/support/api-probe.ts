import { setTimeout as delay } from 'node:timers/promises';
import type { TestServer } from './server.ts';

export interface ProbeResult {
  /** How long each answer took, ms. */
  readonly latenciesMs: readonly number[];
  readonly failures: readonly string[];
}

/** Asks the API for its streams again and again until it is told to stop. */
export function probeApi(
  server: TestServer,
  everyMs = 50,
): AsyncDisposable & { stop(): Promise<ProbeResult> } {
  const latenciesMs: number[] = [];
  const failures: string[] = [];
  let stopped = false;
  const running = (async () => {
    while (!stopped) {
      const startedAt = performance.now();
      try {
        const reply = await server.request('GET', '/v1/streams');
        await reply.arrayBuffer();
        if (reply.status !== 200) failures.push(`status ${reply.status}`);
      } catch (error) {
        failures.push(String(error));
      }
      latenciesMs.push(performance.now() - startedAt);
      await delay(everyMs);
    }
  })();
  const stop = async () => {
    stopped = true;
    await running;
    return { latenciesMs, failures };
  };
  return { stop, [Symbol.asyncDispose]: async () => void (await stop()) };
}
