import type { ControlEvent, EventSubscription, Events, Json } from './types.ts';

const DEFAULT_CAPACITY = 10_000;
const DEFAULT_MAX_QUEUED = 1_000;

export interface EventLogOptions {
  /** Events kept for those who come back. Default 10000. */
  readonly capacity?: number;
  /** Id before the first event. Default: the wall clock in microseconds, so that ids also grow over restarts. */
  readonly firstId?: number;
  readonly now?: () => Date;
  /** Called with each event, for the log. */
  readonly tell?: (event: ControlEvent) => void;
  /** Epoch with which a fleet lets the stream, or the pipeline it is alone in, run here: it goes into the event. */
  readonly epochOf?: ((id: string) => number | undefined) | undefined;
}

export interface EventFacts {
  readonly streamId?: string;
  readonly pipelineId?: string;
  readonly [fact: string]: Json;
}

/** The newest events in memory, for those who listen now and those who come back after a break. */
export class EventLog implements Events {
  readonly #capacity: number;
  readonly #now: () => Date;
  readonly #tell: (event: ControlEvent) => void;
  readonly #epochOf: (id: string) => number | undefined;
  readonly #ring: ControlEvent[] = [];
  readonly #subscribers = new Set<Subscription>();
  #lastId: number;
  #slowDisconnects = 0;

  constructor(options: EventLogOptions = {}) {
    this.#capacity = options.capacity ?? DEFAULT_CAPACITY;
    this.#now = options.now ?? (() => new Date());
    this.#tell = options.tell ?? (() => undefined);
    this.#epochOf = options.epochOf ?? (() => undefined);
    this.#lastId = options.firstId ?? Date.now() * 1_000;
  }

  get lastId(): number {
    return this.#lastId;
  }

  get stats(): { subscribers: number; slowDisconnects: number } {
    return { subscribers: this.#subscribers.size, slowDisconnects: this.#slowDisconnects };
  }

  emit(type: string, facts: EventFacts = {}): ControlEvent {
    this.#lastId += 1;
    const epoch = this.#epochOf(facts.streamId ?? facts.pipelineId ?? '');
    const whose = epoch === undefined ? {} : { epoch };
    const event = { id: this.#lastId, time: this.#now().toISOString(), type, ...facts, ...whose };
    this.#ring.push(event);
    this.#tell(event);
    // Trimmed in blocks: shifting a long array once an event would cost more than the event.
    if (this.#ring.length > this.#capacity * 1.25) {
      this.#ring.splice(0, this.#ring.length - this.#capacity);
    }
    for (const subscriber of this.#subscribers) {
      if (!subscriber.offer(event)) this.#slowDisconnects += 1;
    }
    return event;
  }

  recent(limit = 100): readonly ControlEvent[] {
    return limit <= 0 ? [] : this.#ring.slice(-limit);
  }

  subscribe(
    options: { afterId?: number; maxQueued?: number; signal?: AbortSignal } = {},
  ): EventSubscription {
    const { afterId = this.#lastId, maxQueued = DEFAULT_MAX_QUEUED, signal } = options;
    const oldestKept = this.#ring[0]?.id ?? this.#lastId + 1;
    const known = afterId >= oldestKept - 1 && afterId <= this.#lastId;
    // Who replays may take the whole ring at once; the bound counts what piles up afterwards.
    const replay = known ? this.#ring.filter((event) => event.id > afterId) : [];
    const subscription = new Subscription(replay, maxQueued, !known, () =>
      this.#subscribers.delete(subscription),
    );
    this.#subscribers.add(subscription);
    if (signal?.aborted) subscription.close();
    else signal?.addEventListener('abort', () => subscription.close(), { once: true });
    return subscription;
  }

  /** Ends every subscription. */
  close(): void {
    for (const subscriber of this.#subscribers) subscriber.close();
  }
}

class Subscription implements EventSubscription, AsyncIterator<ControlEvent> {
  readonly reset: boolean;
  readonly #queue: ControlEvent[];
  readonly #bound: number;
  readonly #forget: () => void;
  #ended: 'open' | 'closed' | 'slow' = 'open';
  #waiting: ((result: IteratorResult<ControlEvent>) => void) | undefined;

  constructor(
    replay: readonly ControlEvent[],
    maxQueued: number,
    reset: boolean,
    forget: () => void,
  ) {
    this.#queue = [...replay];
    this.#bound = Math.max(maxQueued, replay.length);
    this.reset = reset;
    this.#forget = forget;
  }

  get ended(): 'open' | 'closed' | 'slow' {
    return this.#ended;
  }

  /** False when the event did not fit: the subscription has ended. */
  offer(event: ControlEvent): boolean {
    if (this.#waiting !== undefined) {
      const deliver = this.#waiting;
      this.#waiting = undefined;
      deliver({ done: false, value: event });
      return true;
    }
    if (this.#queue.length >= this.#bound) {
      this.#end('slow');
      return false;
    }
    this.#queue.push(event);
    return true;
  }

  next(): Promise<IteratorResult<ControlEvent>> {
    const event = this.#queue.shift();
    if (event !== undefined) return Promise.resolve({ done: false, value: event });
    if (this.#ended !== 'open') return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  return(): Promise<IteratorResult<ControlEvent>> {
    this.close();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): AsyncIterator<ControlEvent> {
    return this;
  }

  close(): void {
    this.#end('closed');
  }

  #end(how: 'closed' | 'slow'): void {
    if (this.#ended !== 'open') return;
    this.#ended = how;
    // A cut-off client resumes by id, so what waits is not lost with the queue.
    this.#queue.length = 0;
    this.#forget();
    this.#waiting?.({ done: true, value: undefined });
    this.#waiting = undefined;
  }
}
