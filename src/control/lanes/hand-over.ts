import { setTimeout as wait } from 'node:timers/promises';
import { SightlineError } from '../../common/errors.ts';
import { deferred } from '../../common/waits.ts';
import type { LaneName, Reason } from '../types.ts';
import type { Lane } from './lane.ts';
import type { LaneSet } from './lane-set.ts';
import type { Program } from './program.ts';

const LOOKS_EVERY_MS = 50;
/** A camera that turned the fresh worker away so often, while the former had its pictures, allows one session. */
const REFUSALS_ARE_ENOUGH = 3;

export interface HandOver {
  readonly program: Program;
  /** What the fresh worker runs. */
  readonly streamIds: readonly string[];
  /** The lanes that it takes the place of, and ends. */
  readonly from: readonly Lane[];
  /** What the fresh worker's lane is called afterwards. */
  readonly as: LaneName;
  /** From its first graph to the last of the awaited streams. */
  readonly limitMs: number;
  readonly drainMs: number;
  readonly signal: AbortSignal;
  readonly onProgress: (text: string) => void;
}

/**
 * Starts a fresh worker beside those that run and ends them when every stream that is live in them is live in it. Each
 * stream's records are taken from the new one as of its first frame. Throws when that does not come to pass: the fresh
 * worker is gone by then and the old ones go on. The code is one of SL_SOURCE_* when a camera did not let it in.
 */
export async function handOver(set: LaneSet, order: HandOver): Promise<Lane> {
  const main = set.home;
  const next = set.create({
    ...{ name: 'next', program: order.program, streamIds: order.streamIds },
    // What suspects did is not the others'.
    ...(main?.name === 'main' ? { restarts: main.restarts } : {}),
  });
  const before = new Map(order.streamIds.map((id) => [id, set.ownerOf(id)]));
  set.own(
    next,
    [...before].filter(([, lane]) => lane === undefined).map(([id]) => id),
  );
  next.start();
  try {
    await untilTakenOver(next, before, order);
  } catch (error) {
    for (const [id, lane] of before) if (lane !== undefined) set.own(lane, [id]);
    await set.discard(next);
    throw error;
  }
  set.own(next, order.streamIds);
  next.name = order.as;
  order.onProgress('The former worker is drained');
  await Promise.all(order.from.map((lane) => set.end(lane, order.drainMs)));
  return next;
}

async function untilTakenOver(
  next: Lane,
  before: ReadonlyMap<string, Lane | undefined>,
  { limitMs, signal, onProgress }: HandOver,
): Promise<void> {
  const failure = deferred<Reason>();
  let failed: Reason | undefined;
  void next.failed.then((reason) => {
    failed = reason;
    failure.resolve(reason);
  });
  let deadlineMs = Number.POSITIVE_INFINITY;
  let told = '';
  for (;;) {
    if (failed !== undefined) throw new SightlineError(failed.code, failed.message);
    if (signal.aborted) throw new SightlineError('SL_CLOSED', 'The change was cancelled');
    const missing = [...before].filter(
      ([id, lane]) =>
        lane?.streams.isLive(id) && !next.streams.owns(id) && !next.streams.over.includes(id),
    );
    const refused = refusal(
      next,
      missing.map(([id]) => id),
    );
    if (refused !== undefined) throw refused;
    const text = progressOf(next, missing.length);
    if (text !== told) onProgress(text);
    told = text;
    if (next.worker !== undefined) deadlineMs = Math.min(deadlineMs, performance.now() + limitMs);
    if (missing.length === 0 && (next.ready || next.state === 'stopped')) return;
    if (performance.now() > deadlineMs) {
      const names = missing.map(([id]) => `'${id}'`).join(', ');
      throw new SightlineError(
        'SL_TIMEOUT',
        `The fresh worker had no picture of ${names || 'its streams'} within ${limitMs} ms; the former goes on`,
      );
    }
    await Promise.race([wait(LOOKS_EVERY_MS, undefined, { signal }), failure.promise]).catch(
      () => undefined,
    );
  }
}

/** When every stream that is missing was turned away: the error that says so. */
function refusal(next: Lane, missing: readonly string[]): SightlineError | undefined {
  const failures = missing.map((id) => next.streams.failuresOf(id));
  const [first] = failures;
  if (first === undefined) return undefined;
  const all = failures.every(
    (one) =>
      one !== undefined &&
      one.count >= REFUSALS_ARE_ENOUGH &&
      one.reason.code.startsWith('SL_SOURCE_'),
  );
  if (!all) return undefined;
  return new SightlineError(
    first.reason.code,
    `The camera of '${missing[0]}' did not let the fresh worker in ${first.count} times while it served the former: ${first.reason.message}`,
  );
}

function progressOf(next: Lane, missing: number): string {
  if (next.worker === undefined) return 'A fresh worker is started';
  return `The fresh worker runs; ${missing} of the live streams are not live in it yet`;
}
