import type { AddressPolicy } from '../../common/address-policy.ts';
import { checkValue, problemsError, type ValueProblem } from '../../common/check.ts';
import type { Sink } from '../../common/delivery.ts';
import { SightlineError } from '../../common/errors.ts';
import type { Logger } from '../../common/logger.ts';
import { mergePatch } from '../../common/merge-patch.ts';
import { withKeptSecrets } from '../../control/desired/kept-secrets.ts';
import { Serial } from '../../control/desired/serial.ts';
import type { Registry } from '../../control/registry.ts';
import { sealSpec } from '../../control/sealed-spec.ts';
import type { JsonObject } from '../../control/types.ts';
import { Delivery } from '../../outbox/delivery.ts';
import type { Outbox } from '../../outbox/outbox.ts';
import { SinkSpec } from '../../sinks/specs.ts';
import { findForbidden, marked } from './api-sinks.ts';
import { makeApiSink, type PreparedSink, type SinkFacts } from './prepare.ts';

/** How long a sink that is changed or removed may finish what it has begun. */
const HAND_OVER_MS = 2_000;

/** A sink that runs, or that cannot: then `error` says why. */
export interface RunningSink extends SinkFacts {
  readonly delivery: Delivery | undefined;
}

/** What a change must find: the generation, or nothing yet. */
export interface Asked {
  readonly generation?: number;
  readonly create?: boolean;
}

export interface SinkBookOptions {
  readonly outbox: Outbox;
  readonly registry: Registry;
  /** Where relative paths in the specs of the configuration start. */
  readonly baseDir: string;
  /** Which addresses webhooks may call. */
  readonly policy: AddressPolicy;
  /** Types of sinks that may be made through the API. */
  readonly apiTypes: readonly string[];
  readonly logger: Logger;
  readonly onEvent: (type: string, facts: Readonly<Record<string, string>>) => void;
}

/** The sinks of the configuration and those made through the API: they come, change and go while records flow. */
export class SinkBook {
  readonly #options: SinkBookOptions;
  readonly #sinks = new Map<string, RunningSink>();
  readonly #serial = new Serial();

  /** Starts delivering to `prepared`, the sinks the outbox was opened with. */
  constructor(options: SinkBookOptions, prepared: readonly PreparedSink[]) {
    this.#options = options;
    for (const { sink, ...facts } of prepared) {
      if (sink !== undefined) this.#begin(facts, sink);
      else this.#sinks.set(facts.spec.id, { ...facts, delivery: undefined });
    }
  }

  all(): readonly RunningSink[] {
    return [...this.#sinks.values()];
  }

  /** @throws SightlineError `SL_NOT_FOUND` */
  get(id: string): RunningSink {
    const sink = this.#sinks.get(id);
    if (sink !== undefined) return sink;
    throw new SightlineError('SL_NOT_FOUND', `There is no sink "${id}"`);
  }

  /**
   * Makes the sink, or changes it: what has no fate yet goes to the changed one, too. Durable when it resolves.
   * @throws SightlineError `SL_CONFLICT` for a sink of the configuration, `SL_PRECONDITION_FAILED`, `SL_SPEC_INVALID`
   */
  put(given: JsonObject, asked: Asked): Promise<boolean> {
    return this.#serial.run(async () => {
      const id = String(given['id']);
      const before = this.#sinks.get(id);
      this.#check(id, before, asked);
      const subject = `sink "${id}"`;
      const secrets = before && (marked(before.spec) as JsonObject);
      const whole = withKeptSecrets(given, secrets, subject);
      const spec = checkValue(whole, SinkSpec, { subject });
      this.#refuseForbidden(spec, subject);
      const now = new Date();
      const times = { createdAt: before?.createdAt ?? now, updatedAt: now };
      const generation = (before?.generation ?? 0) + 1;
      const { registry, outbox, baseDir, policy, logger } = this.#options;
      // Before anything is ended: a spec that makes no sink changes nothing.
      const sink = await makeApiSink(spec, { baseDir, policy, logger });
      const kept = marked(whole) as JsonObject;
      registry.putSink({ id, spec: kept, labels: {}, generation, ...times });
      const role = { id, kinds: sink.kinds, required: spec.required };
      // The outbox does not serve a sink that could not be made: what waits for it is there all the same.
      if (before?.delivery === undefined) await outbox.addSink(role);
      else {
        await before.delivery.close({ drainMs: HAND_OVER_MS });
        await outbox.replaceSink(role);
      }
      const shown = sealSpec(kept).open;
      this.#begin({ spec, shown, source: 'api', generation, ...times }, sink);
      this.#options.onEvent(before === undefined ? 'sink.added' : 'sink.changed', { sinkId: id });
      return before === undefined;
    });
  }

  /** Changes parts of the spec by a JSON Merge Patch. Errors as of `put`, and `SL_NOT_FOUND`. */
  async patch(id: string, patch: JsonObject, asked: Asked): Promise<void> {
    const { spec } = this.get(id);
    if (patch['id'] !== undefined && patch['id'] !== id) {
      const problems = [{ pointer: '/id', message: 'cannot be changed' }];
      throw problemsError(problems, { code: 'SL_REQUEST_INVALID', subject: 'the body' });
    }
    await this.put(mergePatch(spec as unknown as JsonObject, patch), asked);
  }

  /**
   * Ends the sink. What waits for it is kept within the bounds until `forget`, or until a sink of this id comes back.
   * @throws SightlineError `SL_NOT_FOUND`, `SL_CONFLICT` for a sink of the configuration, `SL_PRECONDITION_FAILED`
   */
  remove(id: string, asked: Asked): Promise<void> {
    return this.#serial.run(async () => {
      const sink = this.get(id);
      this.#check(id, sink, asked);
      this.#options.registry.removeSink(id);
      this.#options.registry.setSinkPaused(id, false);
      if (sink.delivery !== undefined) {
        await sink.delivery.close({ drainMs: HAND_OVER_MS });
        await this.#options.outbox.removeSink(id);
      }
      this.#sinks.delete(id);
      this.#options.onEvent('sink.removed', { sinkId: id });
    });
  }

  /** Sends nothing until `resume`, also after a restart; keeps everything. */
  pause(id: string): Promise<void> {
    return this.#serial.run(async () => {
      const { delivery } = this.get(id);
      this.#options.registry.setSinkPaused(id, true);
      await delivery?.pause();
      this.#options.onEvent('sink.paused', { sinkId: id });
    });
  }

  /** Goes on at once, also where a failing sink is being left alone for a while. */
  resume(id: string): Promise<void> {
    return this.#serial.run(async () => {
      const { delivery } = this.get(id);
      this.#options.registry.setSinkPaused(id, false);
      delivery?.resume();
      this.#options.onEvent('sink.resumed', { sinkId: id });
    });
  }

  /**
   * Gives up what waits for a sink that is gone.
   * @throws SightlineError `SL_NOT_FOUND`, `SL_CONFLICT` while there is such a sink
   */
  forget(id: string): Promise<void> {
    return this.#serial.run(async () => {
      if (this.#sinks.has(id)) {
        const message = `Cannot forget what waits for sink "${id}": it is there. Remove it first`;
        throw new SightlineError('SL_CONFLICT', message);
      }
      await this.#options.outbox.forget(id);
      this.#options.onEvent('sink.forgotten', { sinkId: id });
    });
  }

  async close({ drainMs }: { readonly drainMs: number }): Promise<void> {
    await Promise.all(this.all().map(({ delivery }) => delivery?.close({ drainMs })));
  }

  #check(id: string, before: RunningSink | undefined, { generation, create }: Asked): void {
    if (before?.source === 'config') {
      const message = `Cannot change sink "${id}": it comes from the configuration file. Change it there; here it can be paused and resumed`;
      throw new SightlineError('SL_CONFLICT', message, { details: { source: 'config' } });
    }
    const stale = generation !== undefined && generation !== before?.generation;
    if (!stale && !(create === true && before !== undefined)) return;
    const state = before === undefined ? 'there is none' : `its ETag is "${before.generation}"`;
    throw new SightlineError('SL_PRECONDITION_FAILED', `Cannot change sink "${id}": ${state} now`);
  }

  #refuseForbidden(spec: SinkSpec, subject: string): void {
    const problems: readonly ValueProblem[] = findForbidden(spec, this.#options.apiTypes);
    if (problems.length > 0) throw problemsError(problems, { subject });
  }

  #begin(facts: Omit<RunningSink, 'delivery'>, sink: Sink): void {
    const { outbox, registry, logger } = this.#options;
    const paused = registry.pausedSinks().has(sink.id);
    const delivery = new Delivery({ outbox, sink, logger, paused });
    this.#sinks.set(sink.id, { ...facts, delivery });
    delivery.start();
  }
}
