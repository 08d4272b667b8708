import { offlineEvent, type RuleEvent } from './event.ts';
import type { FrameFacts } from './facts.ts';
import type { SpecOf } from './spec.ts';

interface Watched {
  lastFrameMs: number;
  lastRecordId: string;
  /** Highest that a frame of it had. */
  epoch: number;
  /** Of the event that says it is offline. */
  startedBy: string | undefined;
}

export interface Clocks {
  /** Monotonic, ms. */
  readonly now: () => number;
  /** Wall clock, ms: only shown. */
  readonly wallMs: () => number;
}

/** Streams that have no frames for longer than a rule allows. */
export class OfflineWatch {
  readonly spec: SpecOf<'camera-offline'>;
  readonly #clocks: Clocks;
  readonly #streams = new Map<string, Watched>();
  readonly #named: ReadonlySet<string>;

  /** Streams the rule names are watched from the beginning, others from their first frame on. */
  constructor(spec: SpecOf<'camera-offline'>, clocks: Clocks) {
    this.spec = spec;
    this.#clocks = clocks;
    this.#named = new Set(spec.streams?.filter((name) => !name.includes('*')));
    for (const name of this.#named) this.#begin(name);
  }

  #begin(streamId: string): Watched {
    const watched: Watched = {
      ...{ lastFrameMs: this.#clocks.now(), lastRecordId: '', epoch: 0, startedBy: undefined },
    };
    this.#streams.set(streamId, watched);
    return watched;
  }

  onFrame(frame: Pick<FrameFacts, 'streamId' | 'recordId' | 'epoch'>): RuleEvent | undefined {
    const { streamId, recordId, epoch } = frame;
    const watched = this.#streams.get(streamId) ?? this.#begin(streamId);
    watched.epoch = Math.max(watched.epoch, epoch);
    const event =
      watched.startedBy === undefined ? undefined : this.#event(streamId, watched, 'ended');
    watched.lastFrameMs = this.#clocks.now();
    watched.lastRecordId = recordId;
    watched.startedBy = undefined;
    return event;
  }

  /** The stream is no more, or is not to run: nobody waits for its frames. One the rule names is waited for all the same. */
  forget(streamId: string): void {
    if (!this.#named.has(streamId)) this.#streams.delete(streamId);
  }

  tick(): RuleEvent[] {
    const now = this.#clocks.now();
    return [...this.#streams].flatMap(([streamId, watched]) => {
      if (watched.startedBy !== undefined) return [];
      if (now - watched.lastFrameMs < this.spec.durationMs) return [];
      const event = this.#event(streamId, watched, 'started');
      watched.startedBy = event.id;
      return [event];
    });
  }

  #event(streamId: string, watched: Watched, phase: 'started' | 'ended'): RuleEvent {
    const { lastFrameMs, lastRecordId, epoch, startedBy } = watched;
    return offlineEvent({
      ...{ spec: this.spec, streamId, phase, lastRecordId, epoch, startedBy },
      nowMs: this.#clocks.wallMs(),
      silentMs: this.#clocks.now() - lastFrameMs,
    });
  }
}
