import { type Static, Type } from 'typebox';
import { defaulted, oneOf, strictObject } from '../common/schema.ts';

/** A stream's video as it came (H.264 or H.265), in files of some length. */
export const RecordSpec = strictObject(
  {
    segmentSeconds: defaulted(
      Type.Integer({
        minimum: 1,
        maximum: 3600,
        description: 'The first key frame after this time begins a new file, s',
      }),
      60,
    ),
    fragmentMs: defaulted(
      Type.Integer({
        minimum: 100,
        maximum: 10_000,
        description: 'Video that is written in one piece, ms: at most this is lost by a kill',
      }),
      1000,
    ),
    container: defaulted(
      oneOf(['mp4', 'matroska'], { description: 'mp4: fragmented MP4, with the index in it' }),
      'mp4',
    ),
    maxHeldBytes: defaulted(
      Type.Integer({
        minimum: 1_048_576,
        maximum: 1_073_741_824,
        description:
          'Bytes that may wait for the end of a fragment; with more the file is given up and another begun',
      }),
      33_554_432,
    ),
  },
  { description: 'Recording of the video as it came; left out: none' },
);
export type RecordSpec = Static<typeof RecordSpec>;
