import { type Static, Type } from 'typebox';
import { defaulted, oneOf, strictObject, tagged } from '../../common/schema.ts';
import { AWS, COMMON, kinds, MIB } from '../spec-parts.ts';

const STORAGE_CLASSES = [
  'STANDARD',
  'STANDARD_IA',
  'ONEZONE_IA',
  'INTELLIGENT_TIERING',
  'GLACIER_IR',
  'GLACIER',
  'DEEP_ARCHIVE',
  'REDUCED_REDUNDANCY',
] as const;

const BUCKET = Type.String({ minLength: 3, maxLength: 63 });
const PREFIX = Type.String({ maxLength: 512, description: 'Put before each key' });

const Encryption = tagged('type', [
  strictObject({ type: Type.Literal('s3') }),
  strictObject({
    type: Type.Literal('kms'),
    keyId: Type.Optional(Type.String({ minLength: 1, description: 'Default: the AWS key' })),
    bucketKey: Type.Optional(Type.Boolean({ description: 'Fewer requests to KMS' })),
  }),
]);

const Records = strictObject({
  kinds: kinds(['frame', 'event'], ['frame']),
  format: defaulted(
    oneOf(['ndjson', 'protobuf'], {
      description: 'protobuf: each message after its length; events are NDJSON in any case',
    }),
    'ndjson',
  ),
  folder: defaulted(
    Type.String({
      maxLength: 512,
      description: 'Template, filled per record: records that share it go into one object',
    }),
    '{kind}s/camera={streamId}/date={yyyy}-{MM}-{dd}/hour={HH}',
  ),
  maxBytes: defaulted(
    Type.Integer({ minimum: 1024, maximum: 32 * MIB, description: 'Of records that gather' }),
    8 * MIB,
  ),
  maxAgeMs: defaulted(
    Type.Integer({ minimum: 0, maximum: 900_000, description: 'How long they gather' }),
    60_000,
  ),
});

/** The bucket and what objects in it are to have. */
export const S3_BUCKET = {
  bucket: BUCKET,
  prefix: defaulted(PREFIX, ''),
  forcePathStyle: Type.Optional(
    Type.Boolean({ description: 'Default: true with an endpoint of your own, else false' }),
  ),
  encryption: Type.Optional(Encryption),
  storageClass: Type.Optional(oneOf(STORAGE_CLASSES)),
  expectedBucketOwner: Type.Optional(
    Type.String({ pattern: '^[0-9]{12}$', description: 'Account that must own the bucket' }),
  ),
};

/** S3 or a store that speaks its protocol: pictures as objects, or records gathered into objects. */
export const S3SinkSpec = strictObject({
  ...COMMON,
  type: Type.Literal('s3'),
  ...AWS,
  ...S3_BUCKET,
  concurrency: defaulted(
    Type.Integer({ minimum: 1, maximum: 50, description: 'Objects at a time' }),
    8,
  ),
  records: Type.Optional(Records),
  backup: Type.Optional(
    strictObject(
      {
        bucket: BUCKET,
        prefix: defaulted(PREFIX, ''),
        ...AWS,
        expectedBucketOwner: Type.Optional(Type.String({ pattern: '^[0-9]{12}$' })),
        afterMs: defaulted(Type.Integer({ minimum: 1000, description: 'Of failures' }), 300_000),
        forMs: defaulted(
          Type.Integer({ minimum: 1000, description: 'Until the bucket is tried again' }),
          900_000,
        ),
      },
      { description: 'Where objects go while the bucket takes none' },
    ),
  ),
});
export type S3SinkSpec = Static<typeof S3SinkSpec>;
