import { type Static, Type } from 'typebox';
import { defaulted, idString, oneOf, strictObject, tagged } from '../common/schema.ts';
import { Source } from '../sources/specs.ts';

/** Which model looks at the frames, and how. */
export const InferSpec = strictObject(
  {
    model: Type.String({
      pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$',
      description: 'Name of an installed model (sightline models list)',
    }),
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
        description: 'Frames of several streams in one run of the model; default 1 on the CPU',
      }),
    ),
  },
  { description: 'Object detection' },
);
export type InferSpec = Static<typeof InferSpec>;

function share(description: string) {
  return Type.Optional(Type.Number({ minimum: 0, maximum: 1, description }));
}

/** ByteTrack-style association. Knobs left out have the defaults of the element (in brackets). */
export const ByteTrackSpec = strictObject({
  type: Type.Literal('bytetrack'),
  highThreshold: share('Score from which a detection takes part in the first association (0.4)'),
  lowThreshold: share('Score from which a detection can continue a track at all (0.1)'),
  newTrackThreshold: share('Score from which an unmatched detection starts a track (0.5)'),
  matchThreshold: share('Largest distance, 1 - overlap, of a detection from its track (0.8)'),
  maxLostFrames: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 100_000,
      description: 'Frames without a detection after which a track ends (30)',
    }),
  ),
  minHits: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 1000,
      description: 'Detections in a row that confirm a track (2)',
    }),
  ),
  classAware: Type.Optional(
    Type.Boolean({ description: 'A track continues only with objects of its class (true)' }),
  ),
  emitLost: Type.Optional(
    Type.Boolean({ description: 'Put out missed tracks at their predicted place (false)' }),
  ),
});
export type ByteTrackSpec = Static<typeof ByteTrackSpec>;

/** How objects keep their id from frame to frame. Left out: bytetrack. */
export const TrackSpec = tagged('type', [
  ByteTrackSpec,
  strictObject({ type: Type.Literal('none') }),
]);
export type TrackSpec = Static<typeof TrackSpec>;

/** Which frames leave as JPEG pictures too. */
export const ImagesSpec = strictObject(
  {
    everyMs: defaulted(
      Type.Integer({
        minimum: 200,
        maximum: 3_600_000,
        description: 'Least time between two pictures of a stream, ms',
      }),
      1000,
    ),
    when: defaulted(
      oneOf(['always', 'objects'], { description: 'objects: only frames that show one' }),
      'objects',
    ),
    quality: defaulted(Type.Integer({ minimum: 1, maximum: 100, description: 'JPEG quality' }), 85),
  },
  { description: 'Pictures of chosen frames; left out: none' },
);
export type ImagesSpec = Static<typeof ImagesSpec>;

const processing = {
  infer: Type.Optional(InferSpec),
  track: Type.Optional(TrackSpec),
  images: Type.Optional(ImagesSpec),
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
  { id: StreamId, source: Source, sensorId, ...processing },
  { description: 'A stream and what is done with its frames' },
);
export type StreamSpec = Static<typeof StreamSpec>;

/** A stream of a pipeline. */
export const PipelineStream = strictObject({ id: StreamId, source: Source, sensorId });
export type PipelineStream = Static<typeof PipelineStream>;

/** Several streams that share one worker process and one set of settings: a file of `pipelines/`. */
export const PipelineSpec = strictObject(
  {
    id: idString(),
    ...processing,
    streams: Type.Array(PipelineStream, { minItems: 1, maxItems: 256 }),
  },
  { description: 'A pipeline' },
);
export type PipelineSpec = Static<typeof PipelineSpec>;
