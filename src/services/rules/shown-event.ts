import { Value } from 'typebox/value';
import { RuleEventSchema } from '../../api/schemas/rules.ts';
import type { RuleEvent } from '../../api/schemas.ts';
import type { StoredEvent } from '../../stores/event-store.ts';

/**
 * A stored event as clients see it. One that is damaged, or lacks what every event has, is shown as such (kind `damaged`)
 * instead of being left out: lists keep their pages, and nothing disappears without a word.
 */
export function toShown(event: StoredEvent): RuleEvent {
  if (Value.Check(RuleEventSchema, event)) return event;
  const { id, time, rule, streamId } = event;
  return {
    ...{ id, type: 'rule.fired', time, rule, kind: 'damaged', severity: 'warning', streamId },
    description: 'The store has this event only in part',
    ...{ sensorId: streamId, since: time, durationMs: 0, objects: [] },
    evidence: { clip: { from: time, to: time } },
  };
}
