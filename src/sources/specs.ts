import { type Static, Type } from 'typebox';
import { defaulted, oneOf, secretString, strictObject, tagged } from '../common/schema.ts';

/** A camera or server that speaks RTSP. */
export const RtspSource = strictObject(
  {
    type: Type.Literal('rtsp'),
    url: Type.String({
      minLength: 1,
      maxLength: 2048,
      description:
        'rtsp:// or rtsps:// URL; a user and password in it are split off and never shown',
    }),
    username: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
    password: Type.Optional(
      secretString({ description: 'Never shown; better given by a variable of the environment' }),
    ),
    transport: defaulted(
      oneOf(['tcp', 'udp'], {
        description: 'How RTP travels; udp loses packets on a busy network',
      }),
      'tcp',
    ),
    latencyMs: defaulted(
      Type.Integer({
        minimum: 0,
        maximum: 60_000,
        description: 'Jitter buffer, ms: what arrives later is lost',
      }),
      200,
    ),
  },
  { description: 'An RTSP camera' },
);
export type RtspSource = Static<typeof RtspSource>;

/** A recorded video. */
export const FileSource = strictObject(
  {
    type: Type.Literal('file'),
    path: Type.String({
      minLength: 1,
      maxLength: 4096,
      description: 'Video file; relative to the working directory of the server',
    }),
    pace: defaulted(
      oneOf(['none', 'realtime'], {
        description: 'none: as fast as it goes, every frame; realtime: as a camera would',
      }),
      'none',
    ),
  },
  { description: 'A video file, played once' },
);
export type FileSource = Static<typeof FileSource>;

/** A recorded video on a web server. */
export const HttpSource = strictObject(
  {
    type: Type.Literal('http'),
    url: Type.String({
      minLength: 1,
      maxLength: 2048,
      description:
        'http:// or https:// URL of a media file; a user and password in it are split off and never shown',
    }),
    username: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
    password: Type.Optional(
      secretString({ description: 'Never shown; better given by a variable of the environment' }),
    ),
  },
  { description: 'A video file on a web server, played once, every frame' },
);
export type HttpSource = Static<typeof HttpSource>;

/** Where a stream's video comes from. */
export const Source = tagged('type', [RtspSource, FileSource, HttpSource]);
export type Source = Static<typeof Source>;
