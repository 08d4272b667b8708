import { type Static, Type } from 'typebox';
import { defaulted, idString, oneOf, strictObject } from '../common/schema.ts';
import { Source } from '../sources/specs.ts';
import { AnalyticsSpec } from './analytics-spec.ts';
import { AnnotatedSpec, DeepStreamSpec } from './deepstream-spec.ts';
import { ImagesSpec } from './images-spec.ts';
import { ModelName } from './model-name.ts';
import { OnnxRuntimeSpec } from './onnxruntime-spec.ts';
import { enabled, streamDefaults } from './stream-spec.ts';
import { TrackSpec } from './track-spec.ts';

export type { AnalyticsSpec } from './analytics-spec.ts';
export type { AnnotatedSpec, DeepStreamSpec } from './deepstream-spec.ts';
export { ImagesSpec } from './images-spec.ts';
export { RecordSpec } from './record-spec.ts';
export { DEFAULT_PRIORITY, type LatencySpec } from './stream-spec.ts';
export { TrackSpec } from './track-spec.ts';

/** Which model looks at the frames, and how. */
export const InferSpec = strictObject(
  {
    model: ModelName,
    interval: defaulted(
      Type.Integer({
        minimum: 0,
        maximum: 1000,
        description: 'Frames to skip after each one the detector sees; the tracker fills the gap',
      }),
      0,
    ),
    threshold: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 1,
        description: "Least score of an object, for all classes; default: the model's own",
      }),
    ),
    classes: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 128 }), {
        minItems: 1,
        maxItems: 1000,
        uniqueItems: true,
        description: 'Labels to keep; default: all',
      }),
    ),
    batchSize: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 64,
        description:
          'Frames of several streams in one run of the model; default 1 on the CPU, one of each stream up to 16 on a GPU',
      }),
    ),
  },
  { description: 'Object detection' },
);
export type InferSpec = Static<typeof InferSpec>;

/** A second look at objects that were found: a classifier, or a detector inside of them. */
export const SecondarySpec = strictObject({
  id: idString({ description: 'Name of this step; other steps can work on what it finds' }),
  model: ModelName,
  on: Type.Optional(
    strictObject({
      step: Type.Optional(idString({ description: 'Id of another step; default: `infer`' })),
      classes: Type.Optional(
        Type.Array(Type.String({ minLength: 1, maxLength: 128 }), {
          minItems: 1,
          maxItems: 1000,
          uniqueItems: true,
          description: 'Labels to look at; default: all',
        }),
      ),
    }),
  ),
  threshold: Type.Optional(Type.Number({ minimum: 0, maximum: 1, description: 'Least score' })),
  interval: defaulted(
    Type.Integer({
      minimum: 0,
      maximum: 1000,
      description: 'Frames after which a tracked object is looked at again; 0: each frame',
    }),
    0,
  ),
  minWidth: defaulted(Type.Integer({ minimum: 0, maximum: 16_384, description: 'px' }), 0),
  minHeight: defaulted(Type.Integer({ minimum: 0, maximum: 16_384, description: 'px' }), 0),
  batchSize: Type.Optional(Type.Integer({ minimum: 1, maximum: 256 })),
});
export type SecondarySpec = Static<typeof SecondarySpec>;

/** What a pipeline may or must run on. */
export const Accelerator = oneOf(['prefer-gpu', 'require-gpu', 'cpu'], {
  description:
    'prefer-gpu (the default): DeepStream where the machine has it, else the models on a GPU by ONNX Runtime, else the CPU; require-gpu: refused without a GPU',
});

const processing = {
  accelerator: Type.Optional(Accelerator),
  infer: Type.Optional(InferSpec),
  secondary: Type.Optional(Type.Array(SecondarySpec, { minItems: 1, maxItems: 16 })),
  track: Type.Optional(TrackSpec),
  analytics: Type.Optional(AnalyticsSpec),
  images: Type.Optional(ImagesSpec),
  annotated: Type.Optional(AnnotatedSpec),
  deepstream: Type.Optional(DeepStreamSpec),
  onnxRuntime: Type.Optional(OnnxRuntimeSpec),
};

const StreamId = idString();
const sensorId = Type.Optional(
  Type.String({
    pattern: '^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$',
    description: 'Name of the camera in the metadata (sensor_id); default: the id of the stream',
  }),
);

/** One stream with its own pipeline: the body of `POST /v1/streams`. */
export const StreamSpec = strictObject(
  { id: StreamId, source: Source, sensorId, enabled, ...streamDefaults, ...processing },
  { description: 'A stream and what is done with its frames' },
);
export type StreamSpec = Static<typeof StreamSpec>;

/** A stream of a pipeline. What it leaves out of `streamDefaults` is as the pipeline says. */
export const PipelineStream = strictObject({
  ...{ id: StreamId, source: Source, sensorId, enabled },
  ...streamDefaults,
});
export type PipelineStream = Static<typeof PipelineStream>;

/** Several streams that share one worker process and one set of settings: a file of `pipelines/`. */
export const PipelineSpec = strictObject(
  {
    id: idString(),
    ...streamDefaults,
    ...processing,
    streams: Type.Array(PipelineStream, { minItems: 1, maxItems: 256 }),
  },
  { description: 'A pipeline' },
);
export type PipelineSpec = Static<typeof PipelineSpec>;
