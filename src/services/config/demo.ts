import { type Static, Type } from 'typebox';
import { defaulted, strictObject } from '../../common/schema.ts';
import { Port } from './port.ts';

/** Servers that only the demo starts, all on loopback. */
export const DemoConfig = strictObject({
  camera: Type.Optional(
    strictObject({
      port: Port('RTSP port'),
      path: defaulted(Type.String({ pattern: '^/[A-Za-z0-9_-]+$' }), '/cam'),
      clip: Type.Optional(
        Type.String({ minLength: 1, description: 'Default: the clip of set-up' }),
      ),
    }),
  ),
  mqtt: Type.Optional(strictObject({ port: Port('MQTT 3.1.1 port') })),
  aws: Type.Optional(
    strictObject({
      port: Port('Port of the S3 and SQS emulator'),
      bucket: Type.String({ minLength: 3 }),
      queue: Type.String({ minLength: 1 }),
    }),
  ),
});
export type DemoConfig = Static<typeof DemoConfig>;
