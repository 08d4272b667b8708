import { type Static, Type } from 'typebox';
import { defaulted, oneOf, strictObject } from '../common/schema.ts';

const Pixels = (description: string) =>
  Type.Optional(Type.Integer({ minimum: 16, maximum: 16_384, description }));

/** What only NVIDIA's elements know. Has no effect on the CPU. */
export const DeepStreamSpec = strictObject(
  {
    gpuId: defaulted(Type.Integer({ minimum: 0, maximum: 63, description: 'CUDA device' }), 0),
    precision: defaulted(
      oneOf(['fp32', 'fp16', 'int8'], { description: 'Of the TensorRT engines' }),
      'fp16',
    ),
    source: defaulted(
      oneOf(['auto', 'nvurisrcbin', 'rtspsrc'], {
        description:
          "nvurisrcbin reconnects inside the pipeline; rtspsrc is Sightline's own path, with a graph a stream. auto: rtspsrc for rtsps://, else nvurisrcbin",
      }),
      'auto',
    ),
    muxer: defaulted(
      strictObject({
        kind: defaulted(
          oneOf(['old', 'new'], {
            description: 'old scales every frame to one size; new does not',
          }),
          'old',
        ),
        width: Pixels('Batch size in pixels, old only (1920)'),
        height: Pixels('Batch size in pixels, old only (1080)'),
        padding: defaulted(
          Type.Boolean({ description: 'Keep the aspect ratio with black bars, old only' }),
          false,
        ),
        batchTimeoutUs: Type.Optional(
          Type.Integer({
            minimum: -1,
            maximum: 10_000_000,
            description: 'Longest wait for a full batch; default 40000 live, -1 files (old)',
          }),
        ),
        systemTime: defaulted(
          Type.Boolean({
            description: "Time of capture is the host's clock at the muxer, not RTCP's",
          }),
          false,
        ),
      }),
      { kind: 'old', padding: false, systemTime: false },
    ),
    engine: defaulted(
      oneOf(['nvinfer', 'nvinferserver'], { description: 'nvinferserver: Triton' }),
      'nvinfer',
    ),
    modelRepository: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 4096,
        description: 'Folder of Triton models, for nvinferserver',
      }),
    ),
    tracker: Type.Optional(
      strictObject({ width: Pixels('Pixels, a multiple of 32'), height: Pixels('Likewise') }),
    ),
    elements: defaulted(
      Type.Record(
        Type.String({ pattern: '^[a-z][a-z0-9_]{0,63}$' }),
        Type.Record(
          Type.String({ pattern: '^[a-z][a-z0-9_-]{0,63}$' }),
          Type.Union([Type.String({ maxLength: 4096 }), Type.Number(), Type.Boolean()]),
        ),
        { description: 'Properties by element factory, over those Sightline sets' },
      ),
      {},
    ),
  },
  { description: 'Settings of the DeepStream backend' },
);
export type DeepStreamSpec = Static<typeof DeepStreamSpec>;

/** The pictures with boxes drawn on them, as a video. DeepStream only. */
export const AnnotatedSpec = strictObject(
  {
    type: oneOf(['rtsp', 'udp'], { description: 'rtsp: served here; udp: RTP sent to host' }),
    host: Type.Optional(
      Type.String({ pattern: '^[A-Za-z0-9.:-]{1,253}$', description: 'For udp (127.0.0.1)' }),
    ),
    port: Type.Integer({ minimum: 1, maximum: 65_535 }),
    bitrateKbps: defaulted(Type.Integer({ minimum: 64, maximum: 200_000 }), 4000),
    width: Pixels('Of the video; several streams share it as tiles (1280)'),
    height: Pixels('Likewise (720)'),
  },
  { description: 'Video with the objects drawn on it; left out: none' },
);
export type AnnotatedSpec = Static<typeof AnnotatedSpec>;
