import fastJsonStringify, { type Schema } from 'fast-json-stringify';
import type { FastifySerializerCompiler } from 'fastify';
import type { TSchema } from 'typebox';
import { ProblemSchema } from './problem.ts';
import { SCHEMAS } from './schemas.ts';

type Serializer = (answer: unknown) => string;

const ALL: readonly (TSchema & { readonly $id?: string })[] = [ProblemSchema, ...SCHEMAS];
const NAMED = new Map(ALL.map((schema) => [schema.$id, schema]));
const made = new Map<string, Serializer>();

/**
 * Answers leave as their schema says. Fastify's own compiler checks all named schemas again for each answer of each
 * route, which is most of the work of a start; this one looks at those an answer refers to, once for equal answers.
 */
export const serializeAnswer: FastifySerializerCompiler<unknown> = ({ schema }) => {
  const key = JSON.stringify(schema);
  let serializer = made.get(key);
  if (serializer === undefined) {
    serializer = fastJsonStringify(schema as Schema, { schema: namedIn(key) });
    made.set(key, serializer);
  }
  return serializer;
};

/** The named schemas that a schema refers to, and those they refer to. */
function namedIn(text: string, found: Record<string, Schema> = {}): Record<string, Schema> {
  for (const [, name] of text.matchAll(/"\$ref":"([^"#]+)#?"/g)) {
    const schema = NAMED.get(name!);
    if (schema === undefined || found[name!] !== undefined) continue;
    found[name!] = schema as Schema;
    namedIn(JSON.stringify(schema), found);
  }
  return found;
}
