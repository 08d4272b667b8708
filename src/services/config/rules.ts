import { type Static, Type } from 'typebox';
import { defaulted, strictObject } from '../../common/schema.ts';

const DAY_MS = 24 * 3600 * 1000;

export const EVENTS_DEFAULTS = { maxAgeMs: 90 * DAY_MS };

/** Where interesting events are kept, and for how long. */
export const EventsConfig = strictObject({
  maxAgeMs: defaulted(
    Type.Integer({ minimum: 60_000, description: 'Older events are removed' }),
    EVENTS_DEFAULTS.maxAgeMs,
  ),
});
export type EventsConfig = Static<typeof EventsConfig>;
