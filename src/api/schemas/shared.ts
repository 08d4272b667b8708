import { type Static, type TProperties, type TSchema, Type } from 'typebox';
import type { JsonObject } from '../../control/types.ts';

// What the schemas of answers are made of. Each `$id` stands as a named component in the OpenAPI document.

export const Count = (description: string) => Type.Number({ minimum: 0, description });
export const Time = (description: string) =>
  Type.String({ format: 'date-time', description: `${description} (RFC 3339)` });
export const Word = <const V extends readonly string[]>(values: V, description = '') =>
  Type.Unsafe<V[number]>({
    type: 'string',
    enum: [...values],
    ...(description === '' ? {} : { description }),
  });

/** A reference to a named schema that keeps its type. */
export function ref<T extends TSchema & { readonly $id?: string }>(schema: T) {
  return Type.Unsafe<Static<T>>({ $ref: schema.$id });
}

/** A list that the reader does not change. */
export function listOf<T extends TSchema>(items: T, description?: string) {
  return Type.Unsafe<readonly Static<T>[]>({
    type: 'array',
    items,
    ...(description === undefined ? {} : { description }),
  });
}

/** A named object of an answer. */
export function named<P extends TProperties>($id: string, properties: P, description?: string) {
  return Type.Object(properties, {
    $id,
    additionalProperties: false,
    ...(description === undefined ? {} : { description }),
  });
}

/** Any JSON object. */
export const AnyObject = (description: string) =>
  Type.Unsafe<JsonObject>({ type: 'object', additionalProperties: true, description });

/** One page of a list. */
export function pageOf<T extends TSchema>(items: T) {
  return Type.Object(
    {
      items: listOf(items),
      next: Type.Optional(
        Type.String({ description: 'Cursor of the next page; absent on the last' }),
      ),
    },
    { additionalProperties: false },
  );
}

export const Labels = Type.Unsafe<Readonly<Record<string, string>>>({
  type: 'object',
  additionalProperties: { type: 'string' },
  description: 'What whoever made it wrote down with it',
});

export const ReasonSchema = Type.Object(
  {
    code: Type.String({ description: 'See docs/errors.md' }),
    message: Type.String(),
    problems: Type.Optional(
      listOf(
        Type.Object(
          { pointer: Type.String(), message: Type.String() },
          { additionalProperties: true },
        ),
        'Every problem of a refused document',
      ),
    ),
  },
  { $id: 'Reason', additionalProperties: false },
);

export const ConditionSchema = named(
  'Condition',
  {
    type: Type.String({
      description: 'Connected, Decoding, Inferring, Recording, Publishing, ClockSynced; Reachable',
    }),
    status: Word(['true', 'false', 'unknown']),
    reason: Type.String({
      description: 'A word for programs: an error code, or Ok, NotAsked, Waiting',
    }),
    message: Type.String(),
    since: Time('When the status became what it is'),
    observed: Type.Optional(
      Type.Unsafe<Readonly<Record<string, string | number | boolean>>>({
        type: 'object',
        additionalProperties: { type: ['string', 'number', 'boolean'] },
        description: 'What was measured, units in the names',
      }),
    ),
    nextTryAt: Type.Optional(Time('When it is tried again')),
  },
  'One thing that is so or not, with the evidence',
);
