import { problemsError, type ValueProblem } from '../common/check.ts';
import { SightlineError } from '../common/errors.ts';
import type { RuleEvent } from './event.ts';
import type { FrameFacts } from './facts.ts';
import { type Clocks, OfflineWatch } from './offline-watch.ts';
import { Rule } from './rule.ts';
import type { RuleSpec } from './spec.ts';
import { StreamTime } from './stream-time.ts';

/** Streams that are remembered at once; beyond it the one that was silent for longest is forgotten. */
const MAX_STREAMS = 20_000;

interface StreamState {
  readonly time: StreamTime;
  imageRef: string | undefined;
}

export interface RuleStats {
  readonly id: string;
  readonly kind: RuleSpec['kind'];
  readonly fired: number;
  /** Not told because of the cool-down. */
  readonly suppressed: number;
  /** Frames and objects for which an expression had no value. */
  readonly errors: number;
  readonly lastError: string | undefined;
}

export interface EngineStats {
  readonly frames: number;
  /** Frames that came after a later one of their stream, or again: rules did not look at them. */
  readonly late: number;
  /** Frames without a stream or a time. */
  readonly unusable: number;
  readonly streams: number;
  /** From the capture of the last frame that rules looked at to that look, ms; undefined before the first. */
  readonly lagMs: number | undefined;
  readonly rules: readonly RuleStats[];
}

interface Counts {
  fired: number;
  errors: number;
  lastError: string | undefined;
}

/**
 * Rules over the frames of many streams. Pure but for the clocks: it holds what it has seen in memory, and begins anew
 * when it is made anew.
 */
export class RuleEngine {
  readonly #rules: readonly Rule[];
  readonly #watches: readonly OfflineWatch[];
  readonly #counts = new Map<string, Counts>();
  readonly #matchers = new Map<string, (streamId: string) => boolean>();
  readonly #streams = new Map<string, StreamState>();
  readonly #clocks: Clocks;
  #lagMs: number | undefined;
  #frames = 0;
  #late = 0;
  #unusable = 0;

  /** @throws SightlineError `SL_SPEC_INVALID` with every expression that cannot be used and every id that is there twice */
  constructor(specs: readonly RuleSpec[], clocks: Clocks) {
    this.#clocks = clocks;
    const problems: ValueProblem[] = [];
    const rules: Rule[] = [];
    const watches: OfflineWatch[] = [];
    for (const [index, spec] of specs.entries()) {
      if (this.#counts.has(spec.id)) {
        problems.push({ pointer: `/${index}/id`, message: `the id "${spec.id}" is taken` });
      }
      const counts: Counts = { fired: 0, errors: 0, lastError: undefined };
      this.#counts.set(spec.id, counts);
      this.#matchers.set(spec.id, matcher(spec.streams));
      if (spec.kind === 'camera-offline') {
        watches.push(new OfflineWatch(spec, clocks));
        continue;
      }
      try {
        const onError = (reason: string) => {
          counts.errors++;
          counts.lastError = reason;
        };
        rules.push(new Rule(spec, onError));
      } catch (error) {
        if (!(error instanceof SightlineError)) throw error;
        problems.push({ pointer: `/${index}`, message: error.message });
      }
    }
    if (problems.length > 0) throw problemsError(problems, { subject: 'the rules' });
    this.#rules = rules;
    this.#watches = watches;
  }

  /** What the rules find on the next frame of a stream. */
  onFrame(frame: FrameFacts): RuleEvent[] {
    this.#frames++;
    if (frame.streamId === '' || !Number.isFinite(frame.atMs)) {
      this.#unusable++;
      return [];
    }
    const { streamId } = frame;
    const state = this.#stateOf(streamId);
    if (!state.time.advance(frame)) {
      this.#late++;
      return [];
    }
    this.#lagMs = this.#clocks.wallMs() - frame.atMs;
    state.imageRef = frame.imageRef ?? state.imageRef;
    const moment = { frame, tMs: state.time.tMs, imageRef: state.imageRef };
    const events: RuleEvent[] = [];
    for (const watch of this.#watchesOf(streamId)) {
      const event = watch.onFrame(frame);
      if (event !== undefined) events.push(event);
    }
    for (const rule of this.#rules) {
      if (this.#applies(rule.spec, streamId)) events.push(...rule.onFrame(moment));
    }
    return this.#counted(events);
  }

  /** What is found without a frame. To be called about once a second. */
  tick(): RuleEvent[] {
    return this.#counted(this.#watches.flatMap((watch) => watch.tick()));
  }

  /** The stream is no more, or is not to run. */
  forget(streamId: string): void {
    this.#streams.delete(streamId);
    for (const rule of this.#rules) rule.forget(streamId);
    for (const watch of this.#watches) watch.forget(streamId);
  }

  stats(): EngineStats {
    const rules = [...this.#rules, ...this.#watches].map((rule) => {
      const { id, kind } = rule.spec;
      const suppressed = rule instanceof Rule ? rule.suppressed : 0;
      return { id, kind, suppressed, ...this.#counts.get(id)! };
    });
    const counts = { frames: this.#frames, late: this.#late, unusable: this.#unusable };
    return { ...counts, streams: this.#streams.size, lagMs: this.#lagMs, rules };
  }

  #stateOf(streamId: string): StreamState {
    const state = this.#streams.get(streamId) ?? { time: new StreamTime(), imageRef: undefined };
    this.#streams.delete(streamId);
    this.#streams.set(streamId, state);
    if (this.#streams.size > MAX_STREAMS) this.forget(this.#streams.keys().next().value!);
    return state;
  }

  #watchesOf(streamId: string): OfflineWatch[] {
    return this.#watches.filter(({ spec }) => this.#applies(spec, streamId));
  }

  #applies({ id }: RuleSpec, streamId: string): boolean {
    return this.#matchers.get(id)!(streamId);
  }

  #counted(events: RuleEvent[]): RuleEvent[] {
    for (const { rule } of events) this.#counts.get(rule)!.fired++;
    return events;
  }
}

/** `*` stands for any characters; everything else for itself. */
function matcher(names: readonly string[] | undefined): (streamId: string) => boolean {
  if (names === undefined) return () => true;
  const exact = new Set(names.filter((name) => !name.includes('*')));
  const patterns = names.filter((name) => name.includes('*')).map(parts);
  return (streamId) => exact.has(streamId) || patterns.some((pattern) => fits(streamId, pattern));
}

function parts(name: string): readonly string[] {
  return name.split('*');
}

/** Without a regular expression: what stands between the stars must come one after the other. */
function fits(text: string, [first = '', ...rest]: readonly string[]): boolean {
  if (!text.startsWith(first)) return false;
  let at = first.length;
  const last = rest.pop() ?? '';
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}
