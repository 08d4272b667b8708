import type { FrameFacts, ObjectFacts } from '../facts.ts';
import { type Crossing, crossing, footPoint, type Point } from '../geometry.ts';
import type { SpecOf } from '../spec.ts';
import type { Condition, Finding, Seen } from './condition.ts';
import { Tracks } from './tracks.ts';

/** Of the crossings in the window, this many are remembered with their objects. */
const MAX_OBJECTS = 100;

interface Way {
  from: Point | undefined;
}

/** Crossings of a line, one by one or so many within a time. */
export class LineCrossing implements Condition {
  readonly #spec: SpecOf<'line-crossing'>;
  readonly #tracks: Tracks<Way>;
  #times: number[] = [];
  #objects: ObjectFacts[] = [];

  constructor(spec: SpecOf<'line-crossing'>) {
    this.#spec = spec;
    this.#tracks = new Tracks(spec.lostAfterMs, () => ({ from: undefined }));
  }

  onFrame(seen: Seen): readonly Finding[] {
    const { count, windowMs, direction } = this.#spec;
    const found: Finding[] = [];
    for (const [object, way] of this.#tracks.seen(seen)) {
      const crossed = this.#crossed(object, way, seen.frame);
      if (crossed === undefined || (direction !== 'any' && crossed !== direction)) continue;
      this.#times.push(seen.tMs);
      this.#objects = [...this.#objects.slice(1 - MAX_OBJECTS), object];
      if (count > 1) continue;
      found.push(this.#finding(object.id, seen, { direction: crossed }));
    }
    for (const _ of this.#tracks.lost(seen.tMs));
    const stillIn = this.#times.findIndex((at) => at > seen.tMs - windowMs);
    if (stillIn !== 0) this.#forget(stillIn < 0 ? this.#times.length : stillIn);
    if (count > 1 && this.#times.length >= count) found.push(this.#finding('', seen));
    return found;
  }

  /** The analytics of a stream know one direction of a line, and count no other. */
  #crossed(object: ObjectFacts, way: Way, frame: FrameFacts): Crossing | 'analytics' | undefined {
    const { line } = this.#spec;
    if (typeof line === 'string') return object.lines.includes(line) ? 'analytics' : undefined;
    const foot = footPoint(object, frame);
    const crossed = way.from && crossing(way.from, foot, line);
    way.from = foot;
    return crossed;
  }

  #finding(key: string, { tMs }: Seen, details?: { direction: string }): Finding {
    const finding = {
      phase: 'instant' as const,
      ...{ key, objects: this.#objects, sinceMs: this.#times[0] ?? tMs, count: this.#times.length },
      ...(details === undefined || details.direction === 'analytics' ? {} : { details }),
    };
    this.#forget(this.#times.length);
    return finding;
  }

  #forget(oldest: number): void {
    this.#times = this.#times.slice(oldest);
    this.#objects = this.#times.length === 0 ? [] : this.#objects.slice(-this.#times.length);
  }
}
