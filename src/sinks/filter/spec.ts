import { type Static, Type } from 'typebox';
import { oneOf, strictObject } from '../../common/schema.ts';

const names = (description: string) =>
  Type.Array(Type.String({ minLength: 1, maxLength: 256 }), {
    minItems: 1,
    maxItems: 256,
    description,
  });

/** Which of its records a sink wants. Everything that is set must hold; pictures are not asked. */
export const When = strictObject(
  {
    classes: Type.Optional(names('Objects with one of these labels')),
    minConfidence: Type.Optional(
      Type.Number({ minimum: 0, maximum: 1, description: 'Objects with at least this score' }),
    ),
    zones: Type.Optional(names('Objects in one of these zones')),
    lines: Type.Optional(names('Objects that cross one of these lines on the frame')),
    hasObjects: Type.Optional(
      Type.Boolean({
        description:
          'true: frames with an object that meets the above, the default where any of it is set; false: frames without',
      }),
    ),
    changesOnly: Type.Optional(
      Type.Boolean({
        description:
          "Frames whose set of such objects, by id and label, is another than that of the stream's last frame sent",
      }),
    ),
    heartbeatMs: Type.Optional(
      Type.Integer({
        minimum: 100,
        maximum: 86_400_000,
        description: 'changesOnly: a frame all the same after so long. Default: none',
      }),
    ),
    maxPerSecond: Type.Optional(
      Type.Number({
        minimum: 0.001,
        maximum: 1000,
        description:
          'Most frames of a stream a second, by capture time; what was not used of a second may follow at once',
      }),
    ),
    objects: Type.Optional(
      oneOf(['all', 'matching'], {
        description: 'What a frame that is sent keeps of its objects. Default all',
      }),
    ),
    types: Type.Optional(
      Type.Array(Type.String({ pattern: '^[A-Za-z0-9._*-]{1,128}$' }), {
        minItems: 1,
        maxItems: 64,
        description: 'Events of these types; * stands for any text: stream.*',
      }),
    ),
  },
  { description: 'Records that do not pass are settled without being sent, and counted' },
);
export type When = Static<typeof When>;
