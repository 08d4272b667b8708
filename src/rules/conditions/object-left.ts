import type { ObjectFacts } from '../facts.ts';
import { centre, distance, type Point } from '../geometry.ts';
import type { SpecOf } from '../spec.ts';
import type { Condition, Finding, Seen } from './condition.ts';
import { Tracks } from './tracks.ts';
import { zoneTest } from './zone.ts';

interface Rest {
  place: Point | undefined;
  sinceMs: number;
  told: boolean;
}

/** Tracked objects that stand still with none of their owners near. Once for each place they are left at. */
export class ObjectLeft implements Condition {
  readonly #spec: SpecOf<'object-left'>;
  readonly #tracks: Tracks<Rest>;
  readonly #isIn;

  constructor(spec: SpecOf<'object-left'>) {
    this.#spec = spec;
    this.#isIn = zoneTest(spec.zone);
    const make = (): Rest => ({ place: undefined, sinceMs: 0, told: false });
    this.#tracks = new Tracks(spec.lostAfterMs, make);
  }

  onFrame(seen: Seen): readonly Finding[] {
    const { owners, durationMs } = this.#spec;
    const around = seen.frame.objects.filter((object) => owners.includes(object.class));
    const found: Finding[] = [];
    for (const [object, rest] of this.#tracks.seen(seen)) {
      if (owners.includes(object.class)) continue;
      if (this.#moved(object, rest)) {
        Object.assign(rest, { place: centre(object.box), sinceMs: seen.tMs, told: false });
      }
      const isLeft = this.#isIn(object, seen.frame) && !around.some((o) => this.#isNear(o, object));
      // Whoever comes back to it starts its time anew, and does not make it a new one.
      if (!isLeft) rest.sinceMs = seen.tMs;
      else if (!rest.told && seen.tMs - rest.sinceMs >= durationMs) {
        rest.told = true;
        const { sinceMs } = rest;
        found.push({ phase: 'instant', key: object.id, objects: [object], sinceMs });
      }
    }
    for (const _ of this.#tracks.lost(seen.tMs));
    return found;
  }

  #moved({ box }: ObjectFacts, { place }: Rest): boolean {
    if (place === undefined) return true;
    return distance(centre(box), place) > this.#spec.maxMove * (box.right - box.left);
  }

  #isNear(owner: ObjectFacts, object: ObjectFacts): boolean {
    const reach = this.#spec.ownerDistance * (owner.box.bottom - owner.box.top);
    return distance(centre(owner.box), centre(object.box)) < reach;
  }
}
