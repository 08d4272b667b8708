import { Type } from 'typebox';
import { STREAM_STATES } from '../control/types.ts';

// Shapes of answers. They stand as named components in the OpenAPI document.

const Count = (description: string) => Type.Number({ minimum: 0, description });
const Time = (description: string) =>
  Type.String({ format: 'date-time', description: `${description} (RFC 3339)` });

export const ReasonSchema = Type.Object(
  {
    code: Type.String({ description: 'See docs/errors.md' }),
    message: Type.String(),
  },
  { $id: 'Reason', additionalProperties: true },
);

export const AcceleratorSchema = Type.Object(
  {
    policy: Type.String({ enum: ['prefer-gpu', 'require-gpu', 'cpu'] }),
    backend: Type.String({ enum: ['cpu', 'deepstream'], description: 'What it was compiled to' }),
    executionProvider: Type.String({
      description: 'What runs the model, as the newest frame says; before the first: as planned',
    }),
    degraded: Type.Boolean({ description: 'A GPU was preferred, and the model runs without one' }),
    fallbackReason: Type.Optional(Type.String({ description: 'Why the CPU' })),
  },
  { $id: 'Accelerator' },
);

export const StreamStatusSchema = Type.Object(
  {
    state: Type.String({
      description:
        'live only after a decoded frame; preparing: TensorRT engines are built, see the reason',
      enum: [...STREAM_STATES],
    }),
    since: Time('When this state began'),
    reason: Type.Optional(Type.Ref('Reason')),
    retryAt: Type.Optional(Time('When the next try comes')),
    attempt: Count('Tries to connect since the stream was last live'),
    session: Type.Optional(Type.String({ description: 'Session of the frames that come now' })),
    counters: Type.Object(
      {
        framesDecoded: Count('Pictures the decoder gave'),
        framesInferred: Count('Frames the detector ran on'),
        framesPublished: Count('Frames that left as metadata'),
        framesSkipped: Count('Frames left out: inference was busy, or it was asked for'),
        recordsDropped: Count('Records dropped because their reader was slow'),
        framesReceived: Count('Frame messages handed to the outbox'),
        imagesReceived: Count('Pictures handed to the outbox'),
        recordsRefused: Count('Records the outbox could not take'),
        recordsOverlapped: Count(
          'Records of a worker whose place another one had taken: they show what was handed on already',
        ),
        reconnects: Count('Times it had to connect again'),
        workerRestarts: Count('Times its worker was started again'),
      },
      { additionalProperties: true },
    ),
    fps: Type.Object({
      decoded: Count('Frames a second'),
      inferred: Count('Frames a second'),
      published: Count('Frames a second'),
    }),
    latencyMs: Type.Optional(
      Type.Object(
        { p50: Type.Number(), p95: Type.Number() },
        { description: 'First packet to metadata' },
      ),
    ),
    objects: Type.Record(Type.String(), Type.Number(), {
      description: 'Objects by class in the newest frame',
    }),
    objectsLastSecond: Type.Record(Type.String(), Type.Number(), {
      description: 'For each class the most objects seen in one frame of the last second',
    }),
    lastFrameAt: Type.Optional(Time('Arrival of the newest frame message')),
    accelerator: Type.Optional(Type.Ref('Accelerator')),
    notes: Type.Optional(
      Type.Array(Type.Object({ pointer: Type.String(), message: Type.String() }), {
        description: 'Where the backend does otherwise than the spec says',
      }),
    ),
  },
  { $id: 'StreamStatus' },
);

export const StreamSchema = Type.Object(
  {
    id: Type.String(),
    pipelineId: Type.String(),
    source: Type.String({ enum: ['config', 'api'], description: 'Who asked for it' }),
    spec: Type.Object({}, { additionalProperties: true, description: 'As given, secrets as ***' }),
    labels: Type.Optional(
      Type.Record(Type.String(), Type.String(), {
        description: 'What whoever made it wrote down with it',
      }),
    ),
    changes: Type.Optional(
      Type.Object(
        {},
        {
          additionalProperties: true,
          description: 'Settings changed while it runs; they end with the server',
        },
      ),
    ),
    createdAt: Time('When it was created'),
    status: Type.Ref('StreamStatus'),
  },
  { $id: 'Stream' },
);

export const SinkSchema = Type.Object(
  {
    id: Type.String(),
    type: Type.String(),
    state: Type.String({ description: 'ok, backoff, paused or closed' }),
    required: Type.Boolean({ description: 'Whether its records hold the disk until delivered' }),
    accepted: Count('Records accepted for this sink = delivered + deadLettered + shed + pending'),
    pending: Count('Records that wait'),
    delivered: Count('Records the sink confirmed'),
    deadLettered: Count('Records it will never take'),
    shed: Count('Records given up by a declared bound'),
    oldestAgeMs: Count('Age of the oldest record that waits'),
    lastError: Type.Optional(
      Type.Object({ code: Type.String(), message: Type.String(), at: Time('When') }),
    ),
  },
  { $id: 'Sink' },
);

export const WorkerSchema = Type.Object(
  {
    pipelineId: Type.String(),
    state: Type.String({ enum: ['starting', 'running', 'backoff', 'draining', 'stopped'] }),
    streams: Type.Array(Type.String()),
    pid: Type.Optional(Type.Number()),
    rssBytes: Type.Optional(Type.Number()),
    restarts: Count('Times it was started again after it died'),
    startedAt: Type.Optional(Time('Start of the process')),
    retryAt: Type.Optional(Time('When it is started again')),
    lastExit: Type.Optional(Type.Object({}, { additionalProperties: true })),
  },
  { $id: 'Worker' },
);

export const SCHEMAS = [
  ReasonSchema,
  AcceleratorSchema,
  StreamStatusSchema,
  StreamSchema,
  SinkSchema,
  WorkerSchema,
] as const;
