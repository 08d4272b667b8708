import { type Static, Type } from 'typebox';
import { defaulted, idString, oneOf, strictObject, tagged } from '../common/schema.ts';
import { MAX_EXPRESSION } from './expression.ts';

const DAY_MS = 24 * 3600 * 1000;

const Ms = (description: string, minimum = 0) =>
  Type.Integer({ minimum, maximum: DAY_MS, description });
const Name = Type.String({ minLength: 1, maxLength: 128 });
const Share = Type.Number({ minimum: 0, maximum: 1 });
const Place = Type.Tuple([Share, Share]);

/** Where: a zone of the stream's own analytics, or corners as shares of the frame. */
const Zone = Type.Union(
  [
    Name,
    Type.Array(Place, {
      minItems: 3,
      maxItems: 64,
      description: 'Corners; 0, 0 is the top left of the frame and 1, 1 the bottom right',
    }),
  ],
  {
    description:
      "Id of a zone of the stream's analytics, or a polygon that the middle of a box's lower edge must lie in",
  },
);
const Line = Type.Union([Name, Type.Tuple([Place, Place])], {
  description: "Id of a line of the stream's analytics, or two points as shares of the frame",
});
export type ZoneSpec = Static<typeof Zone>;
export type LineSpec = Static<typeof Line>;

const common = {
  id: idString(),
  description: Type.Optional(Type.String({ maxLength: 500 })),
  severity: defaulted(oneOf(['info', 'warning', 'critical']), 'info'),
  streams: Type.Optional(
    Type.Array(Name, {
      minItems: 1,
      maxItems: 1000,
      uniqueItems: true,
      description: 'Ids of streams; `*` stands for any characters. Default: all',
    }),
  ),
  cooldownMs: defaulted(
    Ms('After it has fired, it does not fire again for this long on the same stream and object'),
    0,
  ),
  evidence: defaulted(
    strictObject(
      {
        clipBeforeMs: defaulted(Ms('Of the recording, before it fired'), 5000),
        clipAfterMs: defaulted(Ms('And after it'), 5000),
      },
      { description: 'What of the recording belongs to the event' },
    ),
    { clipBeforeMs: 5000, clipAfterMs: 5000 },
  ),
};

const objects = {
  classes: Type.Optional(
    Type.Array(Name, {
      minItems: 1,
      maxItems: 1000,
      uniqueItems: true,
      description: 'Labels of the objects that are meant; default: all',
    }),
  ),
  minConfidence: defaulted({ ...Share, description: 'Least score of an object' }, 0),
  where: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: MAX_EXPRESSION,
      description:
        'CEL over `object`, `stream`, `sensor` and `time` that must be true for an object',
    }),
  ),
};

const lostAfterMs = defaulted(Ms('An object that was not seen for this long is gone'), 2000);
const zone = Zone;
const anywhere = Type.Optional(Zone);
const kind = <const K extends string>(name: K, description: string) => ({
  kind: Type.Literal(name, { description }),
});

const inAndOut = { ...common, ...objects, zone, lostAfterMs };
const settleMs = defaulted(
  Ms('It must stay on its side for this long, so that it does not flicker'),
  300,
);

export const RuleSpec = tagged(
  'kind',
  [
    strictObject({
      ...kind('zone-enter', 'A tracked object comes into a zone'),
      ...inAndOut,
      settleMs,
    }),
    strictObject({
      ...kind('zone-exit', 'A tracked object leaves a zone, or is lost in it'),
      ...inAndOut,
      settleMs,
    }),
    strictObject({
      ...kind('line-crossing', 'Tracked objects cross a line'),
      ...{ ...common, ...objects, lostAfterMs },
      line: Line,
      direction: defaulted(
        oneOf(['any', 'left-to-right', 'right-to-left'], {
          description:
            'Seen along the line from its first to its second point; lines of the analytics have their own',
        }),
        'any',
      ),
      count: defaulted(
        Type.Integer({ minimum: 1, maximum: 100_000, description: 'Crossings that make it fire' }),
        1,
      ),
      windowMs: defaulted(Ms('Within this time', 1), 60_000),
    }),
    strictObject({
      ...kind('dwell', 'A tracked object stays'),
      ...{ ...common, ...objects, zone: anywhere, lostAfterMs },
      durationMs: Ms('For so long', 1),
    }),
    strictObject({
      ...kind('crowd', 'So many objects at once'),
      ...{ ...common, ...objects, zone: anywhere },
      count: Type.Integer({ minimum: 1, maximum: 10_000, description: 'This many, or more' }),
      durationMs: defaulted(Ms('For so long; and below it for as long before it is over'), 1000),
    }),
    strictObject({
      ...kind('object-left', 'A tracked object stands still with nobody near'),
      ...{ ...common, ...objects, zone: anywhere, lostAfterMs },
      durationMs: Ms('For so long', 1),
      owners: defaulted(
        Type.Array(Name, {
          minItems: 1,
          maxItems: 100,
          description: 'Labels of who may be with it',
        }),
        ['person'],
      ),
      ownerDistance: defaulted(
        Type.Number({
          minimum: 0,
          maximum: 100,
          description:
            "Who is closer is with it; in heights of the owner's box, between the middles",
        }),
        1,
      ),
      maxMove: defaulted(
        Type.Number({
          minimum: 0,
          maximum: 10,
          description: 'Further than this from where it was, it moves; in widths of its box',
        }),
        0.5,
      ),
    }),
    strictObject({
      ...kind('object-absent', 'Nothing that is meant is where it should be'),
      ...{ ...common, ...objects, zone: anywhere },
      durationMs: Ms('For so long', 1),
    }),
    strictObject({
      ...kind('class-appears', 'The first object that is meant, after a time without'),
      ...{ ...common, ...objects, zone: anywhere },
      settleMs: defaulted(Ms('It must be there for this long'), 300),
      quietMs: defaulted(Ms('Time without one before it is the first again'), 10_000),
    }),
    strictObject({
      ...kind('camera-offline', 'A stream has no frames'),
      ...common,
      durationMs: defaulted(Ms('For so long', 1000), 30_000),
    }),
    strictObject({
      ...kind('expression', 'A CEL expression over a frame is true'),
      ...{ ...common, ...objects, zone: anywhere },
      expression: Type.String({
        minLength: 1,
        maxLength: MAX_EXPRESSION,
        description:
          '`objects` (those that are meant), `counts` by class, `zones` (objects by zone), `stream`, `sensor`, `time`',
      }),
      durationMs: defaulted(Ms('For so long; and false for as long before it is over'), 0),
    }),
  ],
  { description: 'What makes an event of what is seen (docs/rules.md)' },
);
export type RuleSpec = Static<typeof RuleSpec>;
export type RuleKind = RuleSpec['kind'];
/** The spec of one kind. */
export type SpecOf<K extends RuleKind> = Extract<RuleSpec, { readonly kind: K }>;
