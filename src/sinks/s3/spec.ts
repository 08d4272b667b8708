import { type Static, Type } from 'typebox';
import { defaulted, strictObject } from '../../common/schema.ts';
import { AWS, COMMON } from '../spec-parts.ts';

/** S3 or a store that speaks its protocol: pictures as objects. */
export const S3SinkSpec = strictObject({
  ...COMMON,
  type: Type.Literal('s3'),
  ...AWS,
  bucket: Type.String({ minLength: 3, maxLength: 63 }),
  prefix: defaulted(Type.String({ maxLength: 512, description: 'Put before each key' }), ''),
  forcePathStyle: Type.Optional(
    Type.Boolean({ description: 'Default: true with an endpoint of your own, else false' }),
  ),
  concurrency: defaulted(Type.Integer({ minimum: 1, maximum: 50 }), 8),
});
export type S3SinkSpec = Static<typeof S3SinkSpec>;
