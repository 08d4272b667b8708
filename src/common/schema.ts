import {
  type Static,
  type TLiteral,
  type TObject,
  type TProperties,
  type TSchema,
  Type,
} from 'typebox';
import { redactUrl } from './redact-url.ts';
import { Secret } from './secret.ts';

/**
 * Builders for the schemas of every file and body Sightline reads. They are JSON Schema: the same object checks a
 * document, types it (`Static`) and shows in OpenAPI. Only keywords that Ajv's strict mode and OpenAPI 3.1 know are used.
 */

/** Ids of streams, pipelines, sinks: safe in file names, topics, metric labels and element names. */
export const ID_PATTERN = '^[a-z0-9][a-z0-9_-]{0,62}$';

const REDACTED = '[redacted]';

/** Options of a described schema; the description becomes the OpenAPI text. */
export interface Described {
  readonly description?: string;
}

/** An object that refuses keys it does not name. */
export function strictObject<P extends TProperties>(
  properties: P,
  options: Described = {},
): TObject<P> {
  return Type.Object(properties, { ...options, additionalProperties: false });
}

/**
 * A property that may be left out and then has `value`. `Static` gives the type after defaults were applied (never
 * undefined), while the JSON Schema does not list the key as required.
 */
export function defaulted<T extends TSchema>(schema: T, value: Static<T>): T {
  return Type.Optional({ ...schema, default: value } as TSchema) as unknown as T;
}

/** One of a few words. */
export function oneOf<const V extends readonly string[]>(values: V, options: Described = {}) {
  return Type.Unsafe<V[number]>({ type: 'string', enum: [...values], ...options });
}

/** An id (`ID_PATTERN`). */
export function idString(options: Described = {}) {
  return Type.String({
    pattern: ID_PATTERN,
    description: 'Lower-case letters, digits, - and _; starts with a letter or digit; at most 63',
    ...options,
  });
}

/** A text that must never be printed. `writeOnly` is the mark: `redact` and the messages of `checkValue` obey it. */
export function secretString(options: Described = {}) {
  return Type.String({ minLength: 1, ...options, writeOnly: true });
}

/** Whether values of this schema must never be printed. */
export function isSecret(schema: TSchema): boolean {
  return (schema as { writeOnly?: unknown }).writeOnly === true;
}

/** A schema of `tagged`, as the checker sees it. */
export interface TaggedSchema {
  readonly oneOf: readonly TSchema[];
  readonly discriminator: { readonly propertyName: string };
}

/**
 * A union of objects told apart by one property that is a literal in each: a wrong value gives the problems of the
 * variant it names and of no other. Where the literal of one variant is `defaulted`, the property may be left out.
 */
export function tagged<K extends string, V extends readonly TObject<Record<K, TLiteral<string>>>[]>(
  key: K,
  variants: V,
  options: Described = {},
) {
  return Type.Unsafe<Static<V[number]>>({
    type: 'object',
    oneOf: [...variants],
    discriminator: { propertyName: key },
    ...(variants.some(({ properties }) => 'default' in properties[key]) ? {} : { required: [key] }),
    ...options,
  });
}

/** The schema as a `tagged` one, or undefined. */
export function asTagged(schema: TSchema): TaggedSchema | undefined {
  const { oneOf: variants, discriminator } = schema as Partial<TaggedSchema>;
  if (variants === undefined || discriminator === undefined) return undefined;
  return { oneOf: variants, discriminator };
}

/** The tag each variant of a tagged schema answers to, with the variant. */
export function variantsByTag(schema: TaggedSchema): ReadonlyMap<string, TSchema> {
  const key = schema.discriminator.propertyName;
  const tags = new Map<string, TSchema>();
  for (const variant of schema.oneOf) {
    const literal = (variant as TObject).properties[key] as { const?: unknown } | undefined;
    tags.set(String(literal?.const), variant);
  }
  return tags;
}

/** The variant of a value without the tag: the one whose literal is `defaulted`; undefined where none is. */
export function usualVariant(schema: TaggedSchema): TSchema | undefined {
  const key = schema.discriminator.propertyName;
  return schema.oneOf.find((variant) => {
    const literal = (variant as TObject).properties[key] as { default?: unknown } | undefined;
    return literal?.default !== undefined;
  });
}

/** A copy of `value` for printing: secrets of the schema replaced, credentials in every URL hidden. */
export function redact(value: unknown, schema: TSchema): unknown {
  return mapTexts(value, schema, { secret: () => REDACTED, text: redactUrl });
}

/** A copy of `value` in which each text that the schema calls a secret is a `Secret`. */
export function markSecrets(value: unknown, schema: TSchema): unknown {
  const secret = (text: unknown) => (typeof text === 'string' ? new Secret(text) : text);
  return mapTexts(value, schema, { secret, text: (text) => text });
}

interface TextMap {
  readonly secret: (value: unknown) => unknown;
  readonly text: (text: string) => string;
}

function mapTexts(value: unknown, schema: TSchema, map: TextMap): unknown {
  if (isSecret(schema)) return value === undefined ? undefined : map.secret(value);
  if (typeof value === 'string') return map.text(value);
  if (Array.isArray(value)) {
    const items = (schema as { items?: TSchema }).items ?? {};
    return value.map((item) => mapTexts(item, items, map));
  }
  if (typeof value !== 'object' || value === null) return value;
  return mapObject(value as Readonly<Record<string, unknown>>, schema, map);
}

function mapObject(
  value: Readonly<Record<string, unknown>>,
  schema: TSchema,
  map: TextMap,
): unknown {
  const union = asTagged(schema);
  if (union !== undefined) {
    const tag = value[union.discriminator.propertyName];
    const variant = variantsByTag(union).get(String(tag));
    return mapObject(value, variant ?? {}, map);
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      mapTexts(item, propertySchema(schema, key) ?? {}, map),
    ]),
  );
}

/** The schema of one key of an object: its own, or that of the pattern it matches; undefined for a key it refuses. */
export function propertySchema(schema: TSchema, key: string): TSchema | undefined {
  const { properties, patternProperties, additionalProperties } = schema as {
    properties?: Record<string, TSchema>;
    patternProperties?: Record<string, TSchema>;
    additionalProperties?: TSchema | boolean;
  };
  if (properties !== undefined && Object.hasOwn(properties, key)) return properties[key];
  for (const [pattern, item] of Object.entries(patternProperties ?? {})) {
    if (new RegExp(pattern).test(key)) return item;
  }
  if (additionalProperties === false) return undefined;
  return typeof additionalProperties === 'object' ? additionalProperties : {};
}
