import type { FrameFacts, ObjectFacts } from '../facts.ts';
import { footPoint, isInside } from '../geometry.ts';
import type { SpecOf, ZoneSpec } from '../spec.ts';
import type { Condition, Finding, Seen } from './condition.ts';
import { Settled } from './settled.ts';
import { Tracks } from './tracks.ts';

/** Whether an object is in a zone; without one, everything is. */
export function zoneTest(
  zone: ZoneSpec | undefined,
): (object: ObjectFacts, frame: FrameFacts) => boolean {
  if (zone === undefined) return () => true;
  if (typeof zone === 'string') return ({ zones }) => zones.includes(zone);
  return (object, frame) => isInside(footPoint(object, frame), zone);
}

/** Tracked objects that come in, or go. An object that first appears inside has come in. */
export class ZonePassage implements Condition {
  readonly #enters: boolean;
  readonly #tracks: Tracks<Settled>;
  readonly #isIn;

  constructor({ kind, zone, settleMs, lostAfterMs }: SpecOf<'zone-enter' | 'zone-exit'>) {
    this.#enters = kind === 'zone-enter';
    this.#isIn = zoneTest(zone);
    this.#tracks = new Tracks(lostAfterMs, () => new Settled(settleMs, settleMs));
  }

  onFrame(seen: Seen): readonly Finding[] {
    const found: Finding[] = [];
    for (const [object, inside] of this.#tracks.seen(seen)) {
      const cameInMs = inside.sinceMs;
      if (!inside.update(this.#isIn(object, seen.frame), seen.tMs)) continue;
      if (inside.value !== this.#enters) continue;
      const details = this.#enters ? {} : { details: { reason: 'left' } };
      const sinceMs = this.#enters ? inside.sinceMs : cameInMs;
      found.push({ phase: 'instant', key: object.id, objects: [object], sinceMs, ...details });
    }
    for (const [object, inside] of this.#tracks.lost(seen.tMs)) {
      if (this.#enters || !inside.value) continue;
      const { sinceMs } = inside;
      const details = { reason: 'lost' };
      found.push({ phase: 'instant', key: object.id, objects: [object], sinceMs, details });
    }
    return found;
  }
}

interface Stay {
  readonly inside: Settled;
  told: boolean;
}

/** Tracked objects that stay for longer than a time. Once for each stay. */
export class Dwell implements Condition {
  readonly #spec: SpecOf<'dwell'>;
  readonly #tracks: Tracks<Stay>;
  readonly #isIn;

  constructor(spec: SpecOf<'dwell'>) {
    this.#spec = spec;
    this.#isIn = zoneTest(spec.zone);
    const { lostAfterMs } = spec;
    this.#tracks = new Tracks(lostAfterMs, () => ({
      inside: new Settled(0, lostAfterMs),
      told: false,
    }));
  }

  onFrame(seen: Seen): readonly Finding[] {
    const found: Finding[] = [];
    for (const [object, stay] of this.#tracks.seen(seen)) {
      const { inside } = stay;
      if (inside.update(this.#isIn(object, seen.frame), seen.tMs)) stay.told = false;
      if (!inside.value || stay.told || seen.tMs - inside.sinceMs < this.#spec.durationMs) continue;
      stay.told = true;
      const { sinceMs } = inside;
      found.push({ phase: 'instant', key: object.id, objects: [object], sinceMs });
    }
    // Only to forget them.
    for (const _ of this.#tracks.lost(seen.tMs));
    return found;
  }
}
