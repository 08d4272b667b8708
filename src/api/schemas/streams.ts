import { Type } from 'typebox';
import { STREAM_STATES } from '../../control/types.ts';
import {
  AnyObject,
  ConditionSchema,
  Count,
  Labels,
  listOf,
  named,
  ReasonSchema,
  ref,
  Time,
  Word,
} from './shared.ts';

export const AcceleratorSchema = named('Accelerator', {
  policy: Word(['prefer-gpu', 'require-gpu', 'cpu']),
  backend: Word(['cpu', 'deepstream'], 'What it was compiled to'),
  executionProvider: Type.String({
    description: 'What runs the model, as the newest frame says; before the first: as planned',
  }),
  degraded: Type.Boolean({ description: 'A GPU was preferred, and the model runs without one' }),
  fallbackReason: Type.Optional(Type.String({ description: 'Why the CPU' })),
});

const Counts = (description: string) =>
  Type.Unsafe<Readonly<Record<string, number>>>({
    type: 'object',
    additionalProperties: { type: 'number' },
    description,
  });

const Counters = Type.Object(
  {
    framesArrived: Count('Access units that came in from the camera'),
    framesDecoded: Count('Pictures the decoder gave'),
    framesCorrupt: Type.Optional(
      Count('Pictures that the decoder marked as corrupt or patched up; absent: none was'),
    ),
    framesInferred: Count('Frames the detector ran on'),
    framesPublished: Count('Frames that left as metadata'),
    framesSkipped: Count('Frames left out: inference was busy, or it was asked for'),
    framesSkippedByReason: Counts('framesSkipped by reason'),
    recordsDropped: Count('Records dropped because their reader was slow'),
    framesRecorded: Type.Optional(Count('Access units that were recorded; absent: none ever was')),
    framesUnrecorded: Type.Optional(
      Count('Access units that were to be recorded and are in no file'),
    ),
    recordedBytes: Type.Optional(Count('Media that its recorder wrote, bytes')),
    framesReceived: Count('Frame messages handed to the outbox'),
    imagesReceived: Count('Pictures handed to the outbox'),
    recordsRefused: Count('Records the outbox could not take'),
    recordsOverlapped: Count(
      'Records of a worker whose place another one had taken: they show what was handed on already',
    ),
    reconnects: Count('Times it had to connect again'),
    workerRestarts: Count('Times its worker was started again'),
  },
  {
    additionalProperties: true,
    description: 'Totals since it was created; they never fall, also when its worker is replaced',
  },
);

export const StreamStatusSchema = named('StreamStatus', {
  state: Word(
    STREAM_STATES,
    'live only after a decoded frame; preparing: TensorRT engines are built, see the reason',
  ),
  since: Time('When this state began'),
  reason: Type.Optional(ref(ReasonSchema)),
  retryAt: Type.Optional(Time('When the next try comes')),
  attempt: Count('Tries to connect since the stream was last live'),
  conditions: listOf(ref(ConditionSchema), 'What is so and what is not, with the evidence'),
  flapping: Type.Boolean({ description: 'More than 6 changes of state in 5 minutes' }),
  session: Type.Optional(Type.String({ description: 'Session of the frames that come now' })),
  counters: Counters,
  fps: Type.Object(
    {
      decoded: Count('Frames a second'),
      inferred: Count('Frames a second'),
      published: Count('Frames a second'),
    },
    { additionalProperties: false, description: 'Means over the last 5 s' },
  ),
  latencyMs: Type.Optional(
    Type.Object(
      { p50: Type.Number(), p95: Type.Number() },
      { additionalProperties: false, description: 'First packet to metadata' },
    ),
  ),
  objects: Counts('Objects by class in the newest frame'),
  objectsLastSecond: Counts('For each class the most objects seen in one frame of the last second'),
  lastFrameAt: Type.Optional(Time('Arrival of the newest frame message')),
  accelerator: Type.Optional(ref(AcceleratorSchema)),
  notes: Type.Optional(
    listOf(
      Type.Object(
        { pointer: Type.String(), message: Type.String() },
        { additionalProperties: true },
      ),
      'Where the backend does otherwise than the spec says',
    ),
  ),
});

export const StreamSchema = named('Stream', {
  id: Type.String(),
  pipelineId: Type.String(),
  source: Word(['config', 'folder', 'api', 'fleet'], 'Who asked for it'),
  spec: AnyObject('As given, secrets as ***'),
  labels: Type.Optional(Labels),
  changes: Type.Optional(AnyObject('Settings changed while it runs; they end with the server')),
  createdAt: Time('When it was created'),
  generation: Count('Of its pipeline; its ETag'),
  status: ref(StreamStatusSchema),
});
