import { type Static, Type } from 'typebox';
import { defaulted, secretString, strictObject } from '../../common/schema.ts';
import { COMMON, kinds, MESSAGE, Tls } from '../spec-parts.ts';

const SigningSpec = strictObject(
  {
    keys: Type.Array(
      strictObject({
        id: Type.String({ pattern: '^[A-Za-z0-9._-]{1,64}$' }),
        secret: { ...secretString(), minLength: 16 },
      }),
      {
        minItems: 1,
        maxItems: 2,
        description:
          'Two while one takes over from the other: both sign, the receiver knows either',
      },
    ),
  },
  { description: 'HMAC-SHA-256 over the time and the body' },
);

/** HTTP POST of each message. */
export const WebhookSinkSpec = strictObject({
  ...COMMON,
  type: Type.Literal('webhook'),
  url: Type.String({
    pattern: '^https?://[^@\\s]+$',
    maxLength: 2048,
    description: 'Without user and password. Which addresses may be called is set by `egress`',
  }),
  kinds: kinds(['frame', 'image', 'event', 'segment'], ['event']),
  ...MESSAGE,
  signing: Type.Optional(SigningSpec),
  bearerToken: Type.Optional(secretString()),
  headers: Type.Optional(
    Type.Record(
      Type.String({ pattern: '^[A-Za-z0-9-]{1,64}$' }),
      { ...secretString(), maxLength: 4096 },
      {
        description: 'Sent with each request; values are secret',
      },
    ),
  ),
  tls: Type.Optional(Tls),
  concurrency: defaulted(
    Type.Integer({
      minimum: 1,
      maximum: 64,
      description: 'Requests at once; those of one stream follow each other',
    }),
    4,
  ),
  timeoutMs: defaulted(
    Type.Integer({
      minimum: 100,
      maximum: 60_000,
      description: 'For the name, the connection, the request and the head of its answer together',
    }),
    10_000,
  ),
});
export type WebhookSinkSpec = Static<typeof WebhookSinkSpec>;
