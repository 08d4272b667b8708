import { type Static, Type } from 'typebox';
import { defaulted, oneOf, strictObject } from '../../common/schema.ts';
import { AWS, COMMON, kinds, MESSAGE, SegmentRows } from '../spec-parts.ts';

/** Kinesis Data Streams: one record a message. */
export const KinesisSinkSpec = strictObject({
  ...COMMON,
  type: Type.Literal('kinesis'),
  ...AWS,
  stream: Type.String({ minLength: 1, maxLength: 2048, description: 'Name or ARN' }),
  partitionKey: defaulted(
    Type.String({
      minLength: 1,
      maxLength: 256,
      description: 'Template as of topics. Records of one key go to one shard',
    }),
    '{streamId}',
  ),
  ordering: defaulted(
    oneOf(['relaxed', 'strict'], {
      description:
        'strict: at most one record of a camera in a request, so that a failed one is never overtaken',
    }),
    'relaxed',
  ),
  kinds: kinds(['frame', 'event', 'segment'], ['frame']),
  segmentRows: Type.Optional(SegmentRows),
  ...MESSAGE,
});
export type KinesisSinkSpec = Static<typeof KinesisSinkSpec>;
