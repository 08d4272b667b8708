import { type Static, Type } from 'typebox';
import { defaulted, oneOf, secretString, strictObject } from '../../common/schema.ts';
import { Port } from './port.ts';

/** The server that answers as NVIDIA's nvmultiurisrcbin does (docs/nvidia-rest.md). Left out: there is none. */
export const NvidiaRestConfig = strictObject({
  host: defaulted(
    Type.String({ minLength: 1, description: 'Beyond loopback only with a token' }),
    '127.0.0.1',
  ),
  port: defaulted(Port('0: any free port', 0), 9000),
  compat: defaulted(
    oneOf(['honest', 'strict'], {
      description:
        'honest: an added stream is a success once a picture came; strict: once it exists, as with NVIDIA',
    }),
    'honest',
  ),
  addTimeoutMs: defaulted(
    Type.Integer({
      minimum: 100,
      maximum: 120_000,
      description: 'honest: a stream without a picture by then is removed again, and the add fails',
    }),
    10_000,
  ),
  maxStreams: defaulted(
    Type.Integer({
      minimum: 1,
      maximum: 1024,
      description:
        "NVIDIA's max-batch-size: no stream is added beyond it, and source ids are below it",
    }),
    32,
  ),
  token: Type.Optional(secretString({ description: 'Bearer token of every request' })),
  adminToken: Type.Optional(
    secretString({ description: 'Bearer token of app/quit, which is refused without' }),
  ),
});
export type NvidiaRestConfig = Static<typeof NvidiaRestConfig>;
