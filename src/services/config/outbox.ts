import { Type } from 'typebox';
import { defaulted, strictObject } from '../../common/schema.ts';

export const OUTBOX_DEFAULTS = {
  maxBytes: 10 * 1024 ** 3,
  maxAgeMs: 14 * 24 * 3600 * 1000,
  commitIntervalMs: 150,
};

/** What the outbox holds, and for how long. */
export const OutboxConfig = strictObject({
  maxBytes: defaulted(
    Type.Integer({ minimum: 1024 * 1024, description: 'Beyond it the oldest records are shed' }),
    OUTBOX_DEFAULTS.maxBytes,
  ),
  maxAgeMs: defaulted(
    Type.Integer({ minimum: 1000, description: 'Older records are shed' }),
    OUTBOX_DEFAULTS.maxAgeMs,
  ),
  commitIntervalMs: defaulted(
    Type.Integer({
      minimum: 0,
      maximum: 10_000,
      description: 'How long records gather for one commit: latency against CPU',
    }),
    OUTBOX_DEFAULTS.commitIntervalMs,
  ),
});
