import { type Static, Type } from 'typebox';
import { defaulted, strictObject, tagged } from '../../common/schema.ts';
import { AWS } from '../../sinks/spec-parts.ts';

const DAY_MS = 24 * 3600 * 1000;

export const EVENTS_DEFAULTS = { maxAgeMs: 90 * DAY_MS, store: { type: 'sqlite' as const } };

const Store = tagged(
  'type',
  [
    strictObject({
      type: defaulted(Type.Literal('sqlite', { description: 'A file in dataDir' }), 'sqlite'),
    }),
    strictObject({
      type: Type.Literal('dynamodb', {
        description: 'A table with the key p, s (texts) and the time to live expires_at',
      }),
      ...AWS,
      table: defaulted(Type.String({ pattern: '^[A-Za-z0-9_.-]{3,255}$' }), 'sightline-events'),
    }),
  ],
  { description: 'Where they are kept' },
);

/** Where interesting events are kept, and for how long. */
export const EventsConfig = strictObject({
  maxAgeMs: defaulted(
    Type.Integer({ minimum: 60_000, description: 'Older events are removed' }),
    EVENTS_DEFAULTS.maxAgeMs,
  ),
  store: defaulted(Store, EVENTS_DEFAULTS.store),
});
export type EventsConfig = Static<typeof EventsConfig>;
