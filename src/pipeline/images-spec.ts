import { type Static, Type } from 'typebox';
import { defaulted, oneOf, strictObject } from '../common/schema.ts';
import { ModelName } from './model-name.ts';

/** What counts as motion: cells of the picture (64 by 36) whose mean brightness differs from what it was lately. */
const MotionSpec = strictObject(
  {
    threshold: defaulted(
      Type.Integer({
        minimum: 1,
        maximum: 255,
        description: 'Least change of brightness of a cell that counts, of 255',
      }),
      12,
    ),
    area: defaulted(
      Type.Number({
        minimum: 0.0004,
        maximum: 1,
        description: 'Least part of the cells that must change',
      }),
      0.005,
    ),
  },
  { description: 'For "when: motion"' },
);

/** Which frames leave as JPEG pictures too. */
export const ImagesSpec = strictObject(
  {
    everyMs: Type.Optional(
      Type.Integer({
        minimum: 20,
        maximum: 3_600_000,
        description: 'Least time between two pictures of a stream, ms; default 1000',
      }),
    ),
    fps: Type.Optional(
      Type.Number({
        minimum: 0.001,
        maximum: 50,
        description: 'The same as a rate, instead of everyMs',
      }),
    ),
    when: Type.Optional(
      oneOf(['always', 'objects', 'motion', 'key-frames'], {
        description:
          'objects: only frames that show one (the default with a detector, else always); motion: only frames in which something moves; key-frames: nothing but key frames is decoded',
      }),
    ),
    motion: Type.Optional(MotionSpec),
    quality: defaulted(Type.Integer({ minimum: 1, maximum: 100, description: 'JPEG quality' }), 85),
    maxWidth: Type.Optional(
      Type.Integer({
        minimum: 16,
        maximum: 16_384,
        description: 'Wider pictures are scaled down to it, px; default: as they come',
      }),
    ),
    models: Type.Optional(
      Type.Array(ModelName, {
        minItems: 1,
        maxItems: 16,
        uniqueItems: true,
        description:
          'Names of the models that are to look at the pictures elsewhere (Image.models)',
      }),
    ),
  },
  { description: 'Pictures of chosen frames; left out: none' },
);
export type ImagesSpec = Static<typeof ImagesSpec>;
