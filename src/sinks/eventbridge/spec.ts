import { type Static, Type } from 'typebox';
import { defaulted, strictObject } from '../../common/schema.ts';
import { AWS, COMMON, kinds, MESSAGE } from '../spec-parts.ts';

/** EventBridge: events alone. */
export const EventBridgeSinkSpec = strictObject({
  ...COMMON,
  type: Type.Literal('eventbridge'),
  ...AWS,
  bus: defaulted(
    Type.String({ minLength: 1, maxLength: 1600, description: 'Name or ARN' }),
    'default',
  ),
  kinds: kinds(['event'], ['event']),
  source: defaulted(
    Type.String({
      minLength: 1,
      maxLength: 256,
      pattern: '^(?!aws\\.)',
      description: 'Template as of topics; AWS keeps names that begin with aws. for itself',
    }),
    'sightline',
  ),
  detailType: defaulted(
    Type.String({ minLength: 1, maxLength: 128, description: 'Template as of topics' }),
    'sightline.{kind}',
  ),
  envelope: MESSAGE.envelope,
  concurrency: defaulted(
    Type.Integer({ minimum: 1, maximum: 50, description: 'Requests of ten events at a time' }),
    4,
  ),
});
export type EventBridgeSinkSpec = Static<typeof EventBridgeSinkSpec>;
