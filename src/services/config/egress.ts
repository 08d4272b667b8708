import { type Static, Type } from 'typebox';
import { defaulted, strictObject } from '../../common/schema.ts';

export const EGRESS_DEFAULTS = { allowPrivate: false, allow: [] };

/** Which addresses URLs of sinks may lead to. Only this file says so: nothing that the API makes can widen it. */
export const EgressConfig = strictObject({
  allowPrivate: defaulted(
    Type.Boolean({
      description: 'true: webhooks may call loopback, private and link-local addresses too',
    }),
    false,
  ),
  allow: defaulted(
    Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
      maxItems: 256,
      description: 'Networks they may call although private: 10.1.0.0/16, fd00:1::/32',
    }),
    [],
  ),
});
export type EgressConfig = Static<typeof EgressConfig>;
