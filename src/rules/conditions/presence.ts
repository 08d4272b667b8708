import type { FrameTest } from '../expression.ts';
import type { FrameFacts, ObjectFacts } from '../facts.ts';
import type { SpecOf } from '../spec.ts';
import type { Condition, Finding, Seen } from './condition.ts';
import { Settled } from './settled.ts';
import { zoneTest } from './zone.ts';

/** Something that is so for a time: it starts, and it ends. */
class Lasting implements Condition {
  readonly #state: Settled;
  readonly #isSo: (objects: readonly ObjectFacts[], frame: FrameFacts) => boolean;
  readonly #isIn: ReturnType<typeof zoneTest>;

  constructor(
    state: Settled,
    isIn: ReturnType<typeof zoneTest>,
    isSo: (objects: readonly ObjectFacts[], frame: FrameFacts) => boolean,
  ) {
    this.#state = state;
    this.#isIn = isIn;
    this.#isSo = isSo;
  }

  onFrame({ frame, objects, tMs }: Seen): readonly Finding[] {
    const there = objects.filter((object) => this.#isIn(object, frame));
    const startedMs = this.#state.sinceMs;
    if (!this.#state.update(this.#isSo(there, frame), tMs)) return [];
    const phase = this.#state.value ? 'started' : 'ended';
    const sinceMs = this.#state.value ? this.#state.sinceMs : startedMs;
    return [{ phase, key: '', objects: there, sinceMs, count: there.length }];
  }
}

/** So many objects at once. */
export function crowd({ zone, count, durationMs }: SpecOf<'crowd'>): Condition {
  const state = new Settled(durationMs, durationMs);
  return new Lasting(state, zoneTest(zone), (there) => there.length >= count);
}

/** Nothing that is meant. It is over with the first frame that shows one. */
export function objectAbsent({ zone, durationMs }: SpecOf<'object-absent'>): Condition {
  return new Lasting(new Settled(durationMs, 0), zoneTest(zone), (there) => there.length === 0);
}

/** What an expression says. */
export function expression({ zone, durationMs }: SpecOf<'expression'>, test: FrameTest): Condition {
  const state = new Settled(durationMs, durationMs);
  return new Lasting(state, zoneTest(zone), (there, frame) => test(frame, there));
}

/** The first after a time without. Starts alone are told. */
export class ClassAppears implements Condition {
  readonly #lasting: Condition;

  constructor({ zone, settleMs, quietMs }: SpecOf<'class-appears'>) {
    const state = new Settled(settleMs, quietMs);
    this.#lasting = new Lasting(state, zoneTest(zone), (there) => there.length > 0);
  }

  onFrame(seen: Seen): readonly Finding[] {
    const started = this.#lasting.onFrame(seen).filter(({ phase }) => phase === 'started');
    return started.map((finding) => ({ ...finding, phase: 'instant' }));
  }
}
