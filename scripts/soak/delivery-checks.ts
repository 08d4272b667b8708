import assert from 'node:assert/strict';
import type { FrameJson } from '../../src/metadata/frame.ts';
import { type Sample, scrape, total } from '../../test/support/scrape.ts';
import type { TestServer } from '../../test/support/server.ts';
import { until } from '../../test/support/wait.ts';

const LOSSES = ['outbox_records_dead_lettered_total', 'outbox_records_dropped_total'] as const;

/** Waits until nothing waits for any sink, and finds nothing lost in the server's own books. Returns how long, in ms. */
export async function drained(server: TestServer, withinMs: number): Promise<number> {
  const since = performance.now();
  const samples = await until('the sinks have everything', withinMs, async () => {
    const now = await scrape(server);
    return total(now, 'outbox_cursor_lag_records') === 0 && now;
  });
  assertConserved(samples);
  for (const name of LOSSES) assert.equal(total(samples, name), 0, name);
  return performance.now() - since;
}

/** The law of conservation, as the metric tells it to the operator. */
export function assertConserved(samples: readonly Sample[]): void {
  const errors = samples.filter(({ name }) => name === 'outbox_conservation_error');
  assert.ok(errors.length > 0, 'a scrape without outbox_conservation_error');
  const broken = errors.filter(({ value }) => value !== 0);
  assert.deepEqual(broken, [], 'records without a fate');
}

/**
 * What arrived at another sink is what the files have: each frame, no other, the first copies of a session in its
 * order. Returns the number of copies.
 */
export function assertDelivered(
  frames: readonly FrameJson[],
  arrivedIds: readonly string[],
): number {
  const expected = new Map(frames.map((frame) => [frame.recordId, frame]));
  const arrived = new Set(arrivedIds);
  const missing = [...expected.keys()].filter((id) => !arrived.has(id));
  assert.deepEqual(missing, [], 'frames that did not arrive');
  const unknown = [...arrived].filter((id) => !expected.has(id));
  assert.deepEqual(unknown, [], 'frames that nobody sent');
  const last = new Map<string, number>();
  for (const id of arrived) {
    const { session, frameSequence } = expected.get(id)!;
    const sequence = Number(frameSequence);
    assert.ok(sequence > (last.get(session) ?? -1), `${id} came out of order`);
    last.set(session, sequence);
  }
  return arrivedIds.length - arrived.size;
}
