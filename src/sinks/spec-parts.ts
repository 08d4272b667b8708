import { type Static, Type } from 'typebox';
import type { RecordKind } from '../common/delivery.ts';
import { defaulted, idString, oneOf, secretString, strictObject } from '../common/schema.ts';
import { When } from './filter/spec.ts';

// What the specs of several sinks share. Schemas alone.

export const MIB = 1024 * 1024;

/** Keys of every sink. */
export const COMMON = {
  id: idString(),
  required: defaulted(
    Type.Boolean({
      description:
        'false: best effort, its backlog is shed first when the outbox outgrows its bounds',
    }),
    true,
  ),
  when: Type.Optional(When),
};

export function kinds<const K extends readonly RecordKind[]>(allowed: K, preset: K[number][]) {
  return defaulted(
    Type.Array(oneOf(allowed), { minItems: 1, description: 'Which records it takes' }),
    preset,
  );
}

/** Which table rows of segments belong to. */
export const SegmentRows = oneOf(['frames', 'segments'], {
  description: 'Of a segment: a row per recorded frame, or one row',
});

/** How sinks that send messages make them out of records. */
export const MESSAGE = {
  format: defaulted(
    oneOf(['protobuf', 'json', 'deepstream'], {
      description:
        "Of frames: sightline.v1.Frame as bytes, its JSON mapping, or NVIDIA's minimal JSON",
    }),
    'protobuf',
  ),
  envelope: Type.Optional(
    oneOf(['cloudevents'], {
      description: 'CloudEvents 1.0: binary mode where the transport has headers, else JSON',
    }),
  ),
  fields: Type.Optional(
    Type.Array(
      Type.String({ pattern: '^[a-z][A-Za-z0-9]*(\\.[a-z][A-Za-z0-9]*)*$', maxLength: 128 }),
      {
        minItems: 1,
        maxItems: 200,
        description:
          'Fields of a frame to send, as in its JSON mapping: objects.bbox. recordId, streamId and timestamp always go',
      },
    ),
  ),
  framesPerMessage: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 10_000,
      description: 'Most frames of one stream in one message. Default 1: each on its own',
    }),
  ),
  maxMessageBytes: Type.Optional(
    Type.Integer({
      minimum: 1024,
      maximum: 64 * MIB,
      description:
        'A message of several frames gets no bigger. Default 256 KiB, or the limit of the transport',
    }),
  ),
};

/** TLS of a connection; the files are read anew with each connection. */
export const Tls = strictObject({
  caFile: Type.Optional(Type.String({ minLength: 1 })),
  certFile: Type.Optional(Type.String({ minLength: 1 })),
  keyFile: Type.Optional(Type.String({ minLength: 1 })),
  rejectUnauthorized: defaulted(Type.Boolean(), true),
});
export type Tls = Static<typeof Tls>;

/** Keys of every sink that talks to AWS. */
export const AWS = {
  region: Type.Optional(
    Type.String({ minLength: 1, description: 'Default: AWS_REGION, then us-east-1' }),
  ),
  endpoint: Type.Optional(
    Type.String({
      pattern: '^https?://[^@\\s]+$',
      maxLength: 2048,
      description: 'Of a server other than AWS; without user and password',
    }),
  ),
  credentials: Type.Optional(
    strictObject(
      {
        accessKeyId: Type.String({ minLength: 1 }),
        secretAccessKey: secretString(),
        sessionToken: Type.Optional(secretString()),
      },
      { description: "Default: the SDK's own chain (environment, profile, instance role)" },
    ),
  ),
};
