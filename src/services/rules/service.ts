import type { DeliveryResult, OutboxRecord, PendingRecord, Sink } from '../../common/delivery.ts';
import { EpochFence } from '../../common/epoch-fence.ts';
import { SightlineError, toSightlineError } from '../../common/errors.ts';
import type { Logger } from '../../common/logger.ts';
import type { SightlineRecord } from '../../consumer/index.ts';
import { type FrameJson, frameToJson } from '../../metadata/frame.ts';
import { type EngineStats, RuleEngine } from '../../rules/engine.ts';
import type { RuleEvent } from '../../rules/event.ts';
import { frameFacts } from '../../rules/facts.ts';
import type { RuleSpec } from '../../rules/spec.ts';
import type { EventStore } from '../../stores/event-store.ts';
import { RULES_SINK_ID } from './sink-id.ts';

const TICK_MS = 1_000;
const PRUNE_MS = 3_600_000;
/** After it a stream's frames are not waited for. */
const GONE = new Set(['stream.removed']);
/** Records of one batch: about 20 ms of work. */
const LIMITS = { maxRecords: 200, maxBytes: 4 * 1024 * 1024, maxWaitMs: 100 };

export interface RulesOptions {
  readonly rules: readonly RuleSpec[];
  readonly store: EventStore;
  readonly maxAgeMs: number;
  /** Hands a record to the outbox, and resolves when it is on the disk. */
  readonly publish: (records: readonly OutboxRecord[]) => Promise<void>;
  /** Told of each event, when it is stored. */
  readonly onEvent: (event: RuleEvent) => void;
  readonly logger: Logger;
}

export interface RulesStats extends EngineStats {
  /** Events that are found and not stored yet. */
  readonly waiting: number;
  /** Records of a stream's former owner in a fleet that came after one of a later owner: rules did not look at them. */
  readonly stale: number;
}

/**
 * Rules at work: over the records of the own outbox (`sink`) or what inputs read (`handle`). A record counts as done when
 * what was found in it is in the store and in the outbox.
 */
export class RulesService {
  readonly sink: Sink;
  readonly #options: RulesOptions;
  readonly #engine: RuleEngine;
  readonly #fence = new EpochFence();
  readonly #timers: readonly NodeJS.Timeout[];
  /** Found and not stored: the engine has moved on, and finds them in no frame again. */
  #found: RuleEvent[] = [];
  #storing: Promise<void> = Promise.resolve();

  /** @throws SightlineError `SL_SPEC_INVALID` for rules that cannot be used */
  constructor(options: RulesOptions) {
    this.#options = options;
    this.#engine = new RuleEngine(options.rules, {
      now: () => performance.now(),
      wallMs: () => Date.now(),
    });
    this.sink = this.#makeSink();
    this.#timers = [
      setInterval(() => this.#tick(), TICK_MS).unref(),
      setInterval(() => this.#prune(), PRUNE_MS).unref(),
    ];
    this.#prune();
  }

  get specs(): readonly RuleSpec[] {
    return this.#options.rules;
  }

  stats(): RulesStats {
    const { stale } = this.#fence;
    return { ...this.#engine.stats(), waiting: this.#found.length, stale };
  }

  /** Records of another server. @throws SightlineError `SL_UNAVAILABLE` when the events cannot be stored */
  async handle(records: readonly SightlineRecord[]): Promise<void> {
    for (const record of records) {
      if (record.kind === 'frame') this.#see(record.frame);
      else if (record.kind === 'event') this.#hear(record.event);
    }
    await this.#store();
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await this.#store().catch(() => undefined);
    await this.#options.store.close();
  }

  #makeSink(): Sink {
    return {
      id: RULES_SINK_ID,
      type: 'rules',
      kinds: ['frame', 'event'],
      limits: LIMITS,
      deliver: (batch) => this.#deliver(batch),
      close: async () => undefined,
    };
  }

  async #deliver(batch: readonly PendingRecord[]): Promise<readonly DeliveryResult[]> {
    const results = batch.map((record) => this.#take(record));
    try {
      await this.#store();
    } catch (thrown) {
      const { message } = toSightlineError(thrown);
      throw new SightlineError('SL_SINK_UNAVAILABLE', message, { cause: thrown });
    }
    return results;
  }

  #take({ kind, payload }: PendingRecord): DeliveryResult {
    try {
      if (kind === 'frame') this.#see(frameToJson(payload));
      else this.#hear(JSON.parse(Buffer.from(payload).toString('utf8')));
      return { status: 'accepted' };
    } catch (thrown) {
      return { status: 'rejected', error: toSightlineError(thrown) };
    }
  }

  #see(frame: FrameJson): void {
    if (!this.#fence.accepts(frame.streamId ?? '', Number(frame.epoch ?? 0))) return;
    this.#found.push(...this.#engine.onFrame(frameFacts(frame)));
  }

  #hear({ type, streamId, epoch }: Readonly<Record<string, unknown>>): void {
    if (!GONE.has(String(type)) || typeof streamId !== 'string') return;
    // Where a former owner ends it, its later one goes on.
    if (this.#fence.accepts(streamId, Number(epoch ?? 0))) this.#engine.forget(streamId);
  }

  #tick(): void {
    this.#found.push(...this.#engine.tick());
    // What fails stays, and is tried again a second later.
    void this.#store().catch((error) => this.#complain(error));
  }

  /** One at a time, in the order in which they were found. */
  #store(): Promise<void> {
    const work = this.#storing.then(async () => {
      const events = this.#found;
      if (events.length === 0) return;
      const { store, publish, onEvent } = this.#options;
      await store.put(events.map((event) => ({ ...event })));
      await publish(events.map(toRecord));
      this.#found = this.#found.slice(events.length);
      for (const event of events) onEvent(event);
    });
    this.#storing = work.catch(() => undefined);
    return work;
  }

  #prune(): void {
    const { store, maxAgeMs } = this.#options;
    const before = new Date(Date.now() - maxAgeMs).toISOString();
    void store.prune(before).catch((error) => this.#complain(error));
  }

  #complain(thrown: unknown): void {
    const { code, message } = toSightlineError(thrown);
    this.#options.logger.warn({ code, reason: message }, 'rules.store-failed');
  }
}

function toRecord(event: RuleEvent): OutboxRecord {
  return {
    kind: 'event',
    streamId: event.streamId,
    recordId: `event/${event.id}`,
    atMs: Date.parse(event.time),
    payload: Buffer.from(JSON.stringify(event)),
  };
}
