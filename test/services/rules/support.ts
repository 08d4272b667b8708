import type { TestContext } from 'node:test';
import { pino } from 'pino';
import { checkValue } from '../../../src/common/check.ts';
import type { OutboxRecord } from '../../../src/common/delivery.ts';
import type { SightlineRecord } from '../../../src/consumer/index.ts';
import type { RuleEvent } from '../../../src/rules/event.ts';
import { RuleSpec } from '../../../src/rules/spec.ts';
import { type InputOptions, runInput } from '../../../src/services/rules/inputs/run.ts';
import { InputSpec } from '../../../src/services/rules/inputs/specs.ts';
import { RulesService } from '../../../src/services/rules/service.ts';
import type { EventStore } from '../../../src/stores/event-store.ts';
import { SqliteEventStore } from '../../../src/stores/sqlite-events.ts';
import { temporaryDir } from '../../outbox/helpers.ts';

export const logger = pino({ level: 'silent' });

export interface RulesUnderTest {
  readonly service: RulesService;
  readonly store: EventStore;
  readonly published: OutboxRecord[];
  readonly told: RuleEvent[];
}

/** Every person that appears is an event, once a second of the camera at most. */
export const PERSON = { id: 'person', kind: 'class-appears', settleMs: 0, quietMs: 0 };

export function rulesUnderTest(
  context: TestContext,
  options: { rules?: readonly object[]; store?: EventStore } = {},
): RulesUnderTest {
  const store = options.store ?? new SqliteEventStore(`${temporaryDir(context)}/events.sqlite`);
  const published: OutboxRecord[] = [];
  const told: RuleEvent[] = [];
  const rules = (options.rules ?? [PERSON]).map((rule) =>
    checkValue(rule, RuleSpec, { subject: 'rule' }),
  );
  const service = new RulesService({
    ...{ rules, store, logger, maxAgeMs: 1e12 },
    publish: async (records) => void published.push(...records),
    onEvent: (event) => told.push(event),
  });
  context.after(() => service.close());
  return { service, store, published, told };
}

/** Reads an input until the test is over. Gives what ends it. */
export function startInput(
  context: TestContext,
  spec: object,
  options: Partial<InputOptions> & Pick<InputOptions, 'handle'>,
): { stop(): Promise<void> } {
  const stop = new AbortController();
  const running = runInput(checkValue({ id: 'in', ...spec }, InputSpec, { subject: 'input' }), {
    ...{ signal: stop.signal, onUnreadable: () => undefined, baseDir: '/', logger },
    ...options,
  });
  const end = async () => {
    stop.abort();
    await running;
  };
  context.after(end);
  return { stop: end };
}

/** Remembers what came; fails as often as it is told to. */
export function receiver(failures = 0) {
  const ids: string[] = [];
  let left = failures;
  const handle = async (records: readonly SightlineRecord[]) => {
    if (left-- > 0) throw new Error('the store is away');
    ids.push(...records.map(({ recordId }) => recordId));
  };
  return { ids, handle };
}
