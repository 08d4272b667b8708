import { type Static, Type } from 'typebox';
import { defaulted, idString, oneOf, strictObject } from '../common/schema.ts';

/** A place in the picture: x and y from 0 (left, top) to 1 (right, bottom) of the source frame. */
const Point = Type.Array(Type.Number({ minimum: 0, maximum: 1 }), {
  minItems: 2,
  maxItems: 2,
  description: '[x, y], each 0 to 1 of the source frame, from the top left',
});

const classes = Type.Optional(
  Type.Array(Type.String({ minLength: 1, maxLength: 128 }), {
    minItems: 1,
    maxItems: 1000,
    uniqueItems: true,
    description: 'Labels that count; default: all',
  }),
);
const streams = Type.Optional(
  Type.Array(idString(), {
    minItems: 1,
    maxItems: 256,
    uniqueItems: true,
    description: 'Streams it is for; default: all of the pipeline',
  }),
);

/** A polygon; an object is inside when the middle of its lower edge is. */
export const ZoneSpec = strictObject({
  id: idString(),
  polygon: Type.Array(Point, { minItems: 3, maxItems: 64 }),
  classes,
  streams,
  invert: defaulted(
    Type.Boolean({ description: 'Count what is outside; not with overcrowding' }),
    false,
  ),
  overcrowding: Type.Optional(
    strictObject({
      objects: Type.Integer({
        minimum: 1,
        maximum: 100_000,
        description: 'From this many objects on, the zone is overcrowded',
      }),
    }),
  ),
});
export type ZoneSpec = Static<typeof ZoneSpec>;

/** A line that tracked objects cross in one direction. */
export const LineSpec = strictObject({
  id: idString(),
  line: Type.Array(Point, { minItems: 2, maxItems: 2 }),
  direction: Type.Array(Point, {
    minItems: 2,
    maxItems: 2,
    description: 'From and to: crossings along it count',
  }),
  classes,
  streams,
  extended: defaulted(
    Type.Boolean({ description: 'The line has no ends: crossing its extension counts' }),
    false,
  ),
  mode: defaulted(
    oneOf(['loose', 'balanced', 'strict'], {
      description: 'How far and how straight an object must have moved',
    }),
    'loose',
  ),
});
export type LineSpec = Static<typeof LineSpec>;

/**
 * A direction of travel; an object that moves along it carries its id. How far it must have moved is fixed: nvdsanalytics
 * reads a mode here, and does not use it.
 */
export const DirectionSpec = strictObject({
  id: idString(),
  direction: Type.Array(Point, { minItems: 2, maxItems: 2, description: 'From and to' }),
  classes,
  streams,
});
export type DirectionSpec = Static<typeof DirectionSpec>;

/** What is counted about places in the picture. Lines and directions need a tracker. */
export const AnalyticsSpec = strictObject(
  {
    zones: defaulted(Type.Array(ZoneSpec, { maxItems: 64 }), []),
    lines: defaulted(Type.Array(LineSpec, { maxItems: 64 }), []),
    directions: defaulted(Type.Array(DirectionSpec, { maxItems: 64 }), []),
  },
  { description: 'Zones, lines and directions; left out: none' },
);
export type AnalyticsSpec = Static<typeof AnalyticsSpec>;
