import type { StreamState } from './types.ts';

const FLAPPING_WINDOW_MS = 300_000;
const FLAPPING_CHANGES = 6;
const SAME_EVENT_MS = 30_000;
/** The first tries of a stream that does not come back are all told. */
const TOLD_ATTEMPTS = 3;

const HAS_PICTURES: ReadonlySet<StreamState> = new Set(['live', 'degraded']);
/** Told each time: somebody waits for them. */
const REPETITIVE: ReadonlySet<StreamState> = new Set(['connecting', 'backoff', 'rejected']);

/** Looks at the changes of one stream's state: whether it flaps, and which of them are worth an event. Monotonic ms. */
export class StreamChanges {
  readonly #monotonicMs: () => number;
  /** When pictures began or ceased. */
  #turnsMs: number[] = [];
  readonly #told = new Map<string, { atMs: number; suppressed: number }>();

  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs;
  }

  get flapping(): boolean {
    const sinceMs = this.#monotonicMs() - FLAPPING_WINDOW_MS;
    this.#turnsMs = this.#turnsMs.filter((atMs) => atMs > sinceMs);
    return this.#turnsMs.length > FLAPPING_CHANGES;
  }

  /** True when the stream flaps as of this change. */
  turns(from: StreamState, to: StreamState): boolean {
    const before = this.flapping;
    if (HAS_PICTURES.has(from) !== HAS_PICTURES.has(to)) this.#turnsMs.push(this.#monotonicMs());
    return !before && this.flapping;
  }

  /**
   * Whether to tell that it is in `to`: once in 30 s where it says the same again and again. `suppressed`: how often it
   * was not told since it was last.
   */
  tells(
    to: StreamState,
    code: string | undefined,
    attempt: number,
  ): { suppressed: number } | undefined {
    const key = `${to} ${code}`;
    const nowMs = this.#monotonicMs();
    const last = this.#told.get(key);
    const quiet = REPETITIVE.has(to) && (attempt > TOLD_ATTEMPTS || this.flapping);
    if (quiet && last !== undefined && nowMs - last.atMs < SAME_EVENT_MS) {
      last.suppressed += 1;
      return undefined;
    }
    this.#told.set(key, { atMs: nowMs, suppressed: 0 });
    return { suppressed: last?.suppressed ?? 0 };
  }
}
