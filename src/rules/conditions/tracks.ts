import type { ObjectFacts } from '../facts.ts';
import { type Seen, trackKey } from './condition.ts';

/** A stream with more tracks at once is no longer told apart: those unseen for longest are forgotten. */
const MAX_TRACKS = 5_000;

interface Track<T> {
  lastMs: number;
  object: ObjectFacts;
  readonly state: T;
}

/** What is remembered of each tracked object of a stream. */
export class Tracks<T> {
  readonly #tracks = new Map<string, Track<T>>();
  readonly #make: () => T;
  readonly #lostAfterMs: number;

  constructor(lostAfterMs: number, make: () => T) {
    this.#lostAfterMs = lostAfterMs;
    this.#make = make;
  }

  /** The tracked objects of a frame with what is remembered of each. Objects without an id are passed over. */
  *seen(seen: Seen): Generator<[object: ObjectFacts, state: T]> {
    for (const object of seen.objects) {
      if (object.id === '') continue;
      const key = trackKey(seen.frame, object);
      const state = this.#tracks.get(key)?.state ?? this.#make();
      this.#tracks.delete(key);
      this.#tracks.set(key, { lastMs: seen.tMs, object, state });
      yield [object, state];
    }
    if (this.#tracks.size > MAX_TRACKS) this.#tracks.delete(this.#tracks.keys().next().value!);
  }

  /** Removes the objects that are gone and gives them as they were last. */
  *lost(tMs: number): Generator<[object: ObjectFacts, state: T]> {
    for (const [key, { lastMs, object, state }] of this.#tracks) {
      // In the order in which they were seen last.
      if (tMs - lastMs <= this.#lostAfterMs) return;
      this.#tracks.delete(key);
      yield [object, state];
    }
  }
}
