import { type Static, Type } from 'typebox';
import { defaulted, idString, oneOf, secretString, strictObject } from '../common/schema.ts';

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
};

export function kinds<const K extends readonly ('frame' | 'image' | 'event')[]>(
  allowed: K,
  preset: K[number][],
) {
  return defaulted(
    Type.Array(oneOf(allowed), { minItems: 1, description: 'Which records it takes' }),
    preset,
  );
}

/** How sinks that send messages make them out of records. */
export const MESSAGE = {
  format: defaulted(
    oneOf(['protobuf', 'json'], {
      description: 'sightline.v1.Frame as bytes or in its JSON mapping',
    }),
    'protobuf',
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
    Type.String({ pattern: '^https?://', description: 'Of a server other than AWS' }),
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
