import type { FrameFacts } from './facts.ts';

/** Longest silence between two sessions that counts in full: a clock may have been set meanwhile. */
const MAX_GAP_MS = 3_600_000;

/** Sessions that are remembered as over: a frame of theirs comes late, or again. */
const MAX_OVER = 16;

/**
 * The time of a stream as rules count it: within a session what its presentation times say, between sessions what the
 * capture times do. It never goes back.
 */
export class StreamTime {
  #tMs = 0;
  #last: FrameFacts | undefined;
  readonly #over = new Set<string>();

  get last(): FrameFacts | undefined {
    return this.#last;
  }

  get tMs(): number {
    return this.#tMs;
  }

  /** Whether the frame is newer than all before; then the time goes on to it. */
  advance(frame: FrameFacts): boolean {
    const last = this.#last;
    if (last !== undefined) {
      if (frame.session === last.session) {
        if (frame.sequence <= last.sequence) return false;
        this.#tMs += Math.max(0, frame.ptsMs - last.ptsMs);
      } else {
        if (this.#over.has(frame.session)) return false;
        this.#over.add(last.session);
        if (this.#over.size > MAX_OVER) this.#over.delete(this.#over.values().next().value!);
        this.#tMs += Math.min(MAX_GAP_MS, Math.max(0, frame.atMs - last.atMs));
      }
    }
    this.#last = frame;
    return true;
  }
}
