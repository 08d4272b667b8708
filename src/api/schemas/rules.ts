import { Type } from 'typebox';
import { AnyObject, Count, listOf, named, Time, Word } from './shared.ts';

export const RuleSchema = named(
  'Rule',
  {
    id: Type.String(),
    kind: Type.String(),
    spec: AnyObject('As asked for, with its defaults'),
    fired: Count('Events it gave since the start'),
    suppressed: Count('Findings that were not told because it had just fired'),
    errors: Count('Frames and objects for which its expression had no value; they count as false'),
    lastError: Type.Optional(Type.String()),
  },
  'What makes events of what is seen',
);

export const RuleCountsSchema = Type.Object(
  {
    frames: Count('Frames that came to the rules since the start'),
    late: Count('Of these: came after a later one of their stream, or again; passed over'),
    unusable: Count('Of these: have no stream or no time; passed over'),
    stale: Count('Records of a former owner of their stream in a fleet; passed over'),
    unreadable: Count('Messages of inputs that no sink of Sightline sends; acknowledged'),
    waiting: Count('Events that are found and not stored yet'),
    lagMs: Type.Optional(
      Type.Number({
        description:
          'From the capture of the last frame that rules looked at, by its clock, to that look; absent before the first',
      }),
    ),
  },
  { additionalProperties: false },
);

const EventObject = Type.Object(
  {
    id: Type.String({ description: "The tracker's" }),
    class: Type.String(),
    confidence: Type.Number({ minimum: 0, maximum: 1 }),
    bbox: Type.Object(
      { leftX: Type.Number(), topY: Type.Number(), rightX: Type.Number(), bottomY: Type.Number() },
      { additionalProperties: false, description: 'Pixels of the source frame' },
    ),
  },
  { additionalProperties: false },
);

const ClipPart = Type.Object(
  {
    key: Type.String({ description: 'Of the recorded segment' }),
    from: Time('First frame of the part'),
    to: Time('End of its last frame'),
    byteStart: Count('In the file'),
    byteEnd: Count('Behind its last byte'),
  },
  { additionalProperties: true },
);

export const RuleEventSchema = Type.Object(
  {
    id: Type.String({ description: 'The same when the same frames are seen again' }),
    type: Word(['rule.fired', 'rule.started', 'rule.ended']),
    time: Time('When it was found, by the camera'),
    rule: Type.String(),
    kind: Type.String(),
    severity: Word(['info', 'warning', 'critical']),
    description: Type.Optional(Type.String()),
    streamId: Type.String(),
    sensorId: Type.String(),
    epoch: Type.Optional(
      Type.Number({ description: 'Of the owner in a fleet whose frames it was found on' }),
    ),
    since: Time('When it began'),
    durationMs: Count('From then to `time`'),
    startedBy: Type.Optional(Type.String({ description: 'Id of the `rule.started` that it ends' })),
    count: Type.Optional(Count('Objects or crossings')),
    objects: listOf(EventObject, 'At most 50'),
    details: Type.Optional(AnyObject('More, in words of the rule')),
    model: Type.Optional(AnyObject('Name and version of the detector')),
    frame: Type.Optional(AnyObject('The frame it was found on')),
    evidence: Type.Object(
      {
        imageRef: Type.Optional(Type.String({ description: 'Key of its picture in every store' })),
        clip: Type.Object(
          {
            from: Time('Start'),
            to: Time('End'),
            parts: Type.Optional(
              listOf(ClipPart, 'Where it lies in the recording, as far as it was closed by now'),
            ),
          },
          { additionalProperties: false },
        ),
      },
      { additionalProperties: false },
    ),
  },
  {
    $id: 'RuleEvent',
    additionalProperties: true,
    description: 'An interesting event, and what proves it',
  },
);
