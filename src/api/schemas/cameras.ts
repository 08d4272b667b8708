import { type Static, Type } from 'typebox';
import { strictObject } from '../../common/schema.ts';
import { Members } from './pipelines.ts';
import { AnyObject, ConditionSchema, Count, Labels, listOf, named, ref, Time } from './shared.ts';

/** Cameras have the ids that streams name with `sensorId`. */
export const CAMERA_ID_PATTERN = '^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$';

/** The body of `PUT /v1/cameras/{id}`. */
export const CameraSpecSchema = strictObject(
  {
    name: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 128,
        pattern: '^[^\\u0000-\\u001f\\u007f-\\u009f\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069]+$',
        description: 'For people; no control characters',
      }),
    ),
    heartbeatIntervalMs: Type.Optional(
      Type.Integer({
        minimum: 1_000,
        maximum: 86_400_000,
        description: 'It is expected to report at least this often; absent: it need not report',
      }),
    ),
  },
  { description: 'A device as its owner declares it' },
);
export type CameraSpec = Static<typeof CameraSpecSchema>;

export const CameraSchema = named('Camera', {
  id: Type.String(),
  spec: Type.Object(
    {
      name: Type.Optional(Type.String()),
      heartbeatIntervalMs: Type.Optional(Type.Number()),
    },
    { additionalProperties: false },
  ),
  labels: Type.Optional(Labels),
  generation: Count('Grows by one with each change; its ETag'),
  createdAt: Time('When it was declared'),
  updatedAt: Time('When it was changed last'),
  status: Type.Object(
    {
      lastHeartbeatAt: Type.Optional(Time('When it last said that it works')),
      lastReport: Type.Optional(AnyObject('What it said with its last beat')),
      streams: Members,
      conditions: listOf(ref(ConditionSchema)),
    },
    { additionalProperties: false },
  ),
});
