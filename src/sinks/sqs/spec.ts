import { type Static, Type } from 'typebox';
import { defaulted, strictObject } from '../../common/schema.ts';
import { AWS, COMMON, kinds, MESSAGE, MIB } from '../spec-parts.ts';

/** SQS: one message a record; too big a record goes to S3 by reference. */
export const SqsSinkSpec = strictObject({
  ...COMMON,
  type: Type.Literal('sqs'),
  ...AWS,
  queue: Type.String({
    pattern: '^[^@\\s]+$',
    maxLength: 2048,
    description: 'Name or URL, without user and password',
  }),
  // Who reads frames from a queue must not meet JSON there unless it was asked for.
  kinds: kinds(['frame', 'image', 'event'], ['frame']),
  ...MESSAGE,
  concurrency: defaulted(
    Type.Integer({
      minimum: 1,
      maximum: 50,
      description: 'Requests at a time; FIFO queues get one',
    }),
    4,
  ),
  claimCheck: Type.Optional(
    strictObject(
      {
        bucket: Type.String({ minLength: 3, maxLength: 63 }),
        prefix: defaulted(Type.String({ maxLength: 512 }), 'claims/'),
        aboveBytes: Type.Optional(
          Type.Integer({
            minimum: 0,
            description:
              'Messages above this go there although the queue would take them. Default: none',
          }),
        ),
        packBytes: Type.Optional(
          Type.Integer({
            minimum: 1,
            maximum: 4 * MIB,
            description:
              'Messages that go there together become one object of up to so many bytes. Default: an object each',
          }),
        ),
        packMs: Type.Optional(
          Type.Integer({
            minimum: 0,
            maximum: 60_000,
            description:
              'How long messages of the sink gather to go together, for fewer requests. Default 100',
          }),
        ),
      },
      {
        description:
          'Where records above the limit of the queue go; without it they are dead letters',
      },
    ),
  ),
});
export type SqsSinkSpec = Static<typeof SqsSinkSpec>;
