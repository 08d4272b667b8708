import { type Static, Type } from 'typebox';
import { oneOf, strictObject, tagged } from '../common/schema.ts';

function share(description: string) {
  return Type.Optional(Type.Number({ minimum: 0, maximum: 1, description }));
}

/** Knobs every tracker has. Those left out have the defaults of the tracker (in brackets: bytetrack's). */
const common = {
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
};

/** ByteTrack-style association. On DeepStream it becomes NvSORT with the same limits. */
export const ByteTrackSpec = strictObject({
  type: Type.Literal('bytetrack'),
  highThreshold: share('Score from which a detection takes part in the first association (0.4)'),
  lowThreshold: share('Score from which a detection can continue a track at all (0.1)'),
  newTrackThreshold: share('Score from which an unmatched detection starts a track (0.5)'),
  matchThreshold: share('Largest distance, 1 - overlap, of a detection from its track (0.8)'),
  ...common,
});
export type ByteTrackSpec = Static<typeof ByteTrackSpec>;

/** NVIDIA's trackers of nvtracker. On the CPU they run as bytetrack; `tracker` of a message says what ran. */
export const IouTrackSpec = strictObject({ type: Type.Literal('iou'), ...common });
export const NvSortTrackSpec = strictObject({ type: Type.Literal('nvsort'), ...common });
export const NvDcfTrackSpec = strictObject({
  type: Type.Literal('nvdcf'),
  profile: Type.Optional(
    oneOf(['max-perf', 'perf', 'accuracy'], {
      description: "What to spend on the visual features, as NVIDIA's sample files (perf)",
    }),
  ),
  ...common,
});
export const NvDeepSortTrackSpec = strictObject({
  type: Type.Literal('nvdeepsort'),
  reidModel: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 4096,
      description: "ONNX file of the re-identification network; default: NVIDIA's sample",
    }),
  ),
  ...common,
});
export type NvTrackSpec = Static<
  typeof IouTrackSpec | typeof NvSortTrackSpec | typeof NvDcfTrackSpec | typeof NvDeepSortTrackSpec
>;

/** How objects keep their id from frame to frame. Left out: bytetrack. */
export const TrackSpec = tagged('type', [
  ByteTrackSpec,
  IouTrackSpec,
  NvSortTrackSpec,
  NvDcfTrackSpec,
  NvDeepSortTrackSpec,
  strictObject({ type: Type.Literal('none') }),
]);
export type TrackSpec = Static<typeof TrackSpec>;
