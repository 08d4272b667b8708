import type { Condition, Finding } from './conditions/condition.ts';
import { conditionMaker, type FrameRuleSpec } from './conditions/make.ts';
import { type RuleEvent, ruleEvent } from './event.ts';
import { compileObjectTest, type ObjectTest, type OnError } from './expression.ts';
import type { FrameFacts, ObjectFacts } from './facts.ts';

/** Cool-downs that are remembered for one stream; beyond it the oldest go, and may fire early. */
const MAX_COOLDOWNS = 10_000;

interface StreamMemory {
  readonly condition: Condition;
  /** When each key fired last, in the stream's time. */
  readonly fired: Map<string, number>;
  /** The event that goes on, if one does. */
  started: string | undefined;
}

export interface Moment {
  readonly frame: FrameFacts;
  /** The stream's own time, ms. */
  readonly tMs: number;
  /** Of the last picture of the stream. */
  readonly imageRef: string | undefined;
}

/** One rule over frames, with what it remembers of each stream. */
export class Rule {
  readonly spec: FrameRuleSpec;
  readonly #begin: () => Condition;
  readonly #where: ObjectTest | undefined;
  readonly #streams = new Map<string, StreamMemory>();
  #suppressed = 0;

  /** @throws SightlineError `SL_SPEC_INVALID` for an expression that cannot be used */
  constructor(spec: FrameRuleSpec, onError: OnError) {
    this.spec = spec;
    this.#begin = conditionMaker(spec, onError);
    this.#where = spec.where === undefined ? undefined : compileObjectTest(spec.where, onError);
  }

  /** What was not told because the rule had just fired. */
  get suppressed(): number {
    return this.#suppressed;
  }

  onFrame(moment: Moment): RuleEvent[] {
    const { frame, tMs } = moment;
    const memory = this.#memoryOf(frame.streamId);
    const objects = frame.objects.filter((object) => this.#isMeant(object, frame));
    return memory.condition.onFrame({ frame, objects, tMs }).flatMap((finding) => {
      if (!this.#isToTell(memory, finding, tMs)) return [];
      const startedBy = finding.phase === 'ended' ? memory.started : undefined;
      const event = ruleEvent({ spec: this.spec, finding, startedBy, ...moment });
      if (finding.phase !== 'instant') {
        memory.started = finding.phase === 'started' ? event.id : undefined;
      }
      return [event];
    });
  }

  forget(streamId: string): void {
    this.#streams.delete(streamId);
  }

  #memoryOf(streamId: string): StreamMemory {
    let memory = this.#streams.get(streamId);
    if (memory === undefined) {
      memory = { condition: this.#begin(), fired: new Map(), started: undefined };
      this.#streams.set(streamId, memory);
    }
    return memory;
  }

  #isMeant(object: ObjectFacts, frame: FrameFacts): boolean {
    const { classes, minConfidence } = this.spec;
    if (classes !== undefined && !classes.includes(object.class)) return false;
    // A tracker's prediction has no score of its own.
    if (object.confidence < minConfidence && object.confidence > 0) return false;
    return this.#where?.(object, frame) ?? true;
  }

  /** The end of what was not told is not told either. */
  #isToTell({ fired, started }: StreamMemory, { phase, key }: Finding, tMs: number): boolean {
    if (phase === 'ended') return started !== undefined;
    const { cooldownMs } = this.spec;
    if (cooldownMs === 0) return true;
    const last = fired.get(key);
    if (last !== undefined && tMs - last < cooldownMs) {
      this.#suppressed++;
      return false;
    }
    fired.delete(key);
    fired.set(key, tMs);
    if (fired.size > MAX_COOLDOWNS) fired.delete(fired.keys().next().value!);
    return true;
  }
}
