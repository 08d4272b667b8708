import type { RulesView } from '../../api/dependencies.ts';
import type { Rule, RuleEvent as ShownEvent } from '../../api/schemas.ts';
import type { ClipFinder } from '../../common/clips.ts';
import type { OutboxRecord } from '../../common/delivery.ts';
import type { Logger } from '../../common/logger.ts';
import type { JsonObject } from '../../control/types.ts';
import type { RuleEvent } from '../../rules/event.ts';
import type { LoadedConfig } from '../config/load.ts';
import { runInput } from './inputs/run.ts';
import { openEventStore } from './open-store.ts';
import { RulesService } from './service.ts';
import { toShown } from './shown-event.ts';

export interface OpenRulesOptions {
  readonly loaded: LoadedConfig;
  readonly publish: (records: readonly OutboxRecord[]) => Promise<void>;
  readonly onEvent: (event: RuleEvent) => void;
  /** Where recordings can be asked for clips. */
  readonly clips?: ClipFinder | undefined;
  readonly logger: Logger;
}

export interface OpenRules {
  readonly service: RulesService;
  readonly view: RulesView;
  /** Begins to read the inputs. */
  start(): void;
  /** Ends the inputs, then the rules. */
  close(): Promise<void>;
}

/**
 * The rules of the configuration with their store and inputs; undefined when there are none.
 * @throws SightlineError `SL_SPEC_INVALID` for rules that cannot be used
 */
export async function openRules(options: OpenRulesOptions): Promise<OpenRules | undefined> {
  const { loaded, publish, onEvent, clips, logger } = options;
  const { rules, events, inputs } = loaded.config;
  if (rules.length === 0) return undefined;
  const store = await openEventStore(loaded);
  const { maxAgeMs } = events;
  const service = new RulesService({ rules, store, maxAgeMs, publish, onEvent, logger });
  const stop = new AbortController();
  let reading: Promise<unknown> = Promise.resolve();
  let unreadable = 0;
  return {
    service,
    view: {
      list: () => listRules(service),
      counts: () => {
        const { frames, late, unusable, stale, waiting, lagMs } = service.stats();
        const counts = { frames, late, unusable, stale, unreadable, waiting };
        return lagMs === undefined ? counts : { ...counts, lagMs };
      },
      events: async (query) => (await store.list(query)).map(toShown),
      event: async (id) => {
        const event = await store.get(id);
        return event && withClip(toShown(event), clips);
      },
    },
    start: () => {
      const { signal } = stop;
      const handle = service.handle.bind(service);
      const onUnreadable = (reason: string) => {
        unreadable++;
        logger.warn({ reason }, 'input.unreadable');
      };
      const common = { handle, signal, onUnreadable, baseDir: loaded.baseDir, logger };
      reading = Promise.all(inputs.map((input) => runInput(input, common)));
    },
    close: async () => {
      stop.abort();
      await reading;
      await service.close();
    },
  };
}

function listRules(service: RulesService): Rule[] {
  const counts = new Map(service.stats().rules.map((stats) => [stats.id, stats]));
  return service.specs.map((spec) => {
    const { fired, suppressed, errors, lastError } = counts.get(spec.id)!;
    return {
      ...{ id: spec.id, kind: spec.kind, spec: spec as unknown as JsonObject },
      ...{ fired, suppressed, errors },
      ...(lastError === undefined ? {} : { lastError }),
    };
  });
}

/** Segments are closed some time after what they show: looked up when somebody asks. */
async function withClip(event: ShownEvent, clips: ClipFinder | undefined): Promise<ShownEvent> {
  if (clips === undefined) return event;
  const { clip } = event.evidence;
  const found = await clips.find(event.streamId, Date.parse(clip.from), Date.parse(clip.to));
  const parts = found.map(({ key, fromMs, toMs, byteStart, byteEnd }) => ({
    ...{ key, byteStart, byteEnd },
    from: new Date(fromMs).toISOString(),
    to: new Date(toMs).toISOString(),
  }));
  return { ...event, evidence: { ...event.evidence, clip: { ...clip, parts } } };
}
