import { json, type Reply } from './answer.ts';
import { asString, ConversionError, find } from './conversions.ts';
import type { Value } from './json-value.ts';

/** What the two endpoints call their input, and what they say when nothing in the pipeline answers. */
const KINDS = {
  text: {
    field: 'text_input',
    unanswered: 'Text embedding query not handled by downstream elements',
  },
  image: {
    field: 'image_path',
    unanswered: 'Image embedding query not handled by downstream elements',
  },
} as const;

/** No element of ours makes embeddings: the answer is that of a pipeline without one. The path is never opened. */
export function embedding(kind: keyof typeof KINDS, body: Value): Reply {
  const { field, unanswered } = KINDS[kind];
  try {
    const fields = [find(body, field), find(body, 'model')];
    if (fields.includes(undefined)) return missing(field);
    for (const value of fields) asString(value);
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error;
    return json({ code: 'BadRequest', message: error.message }, 400);
  }
  return json({ code: 'ErrorCode', message: unanswered }, 500);
}

function missing(field: string): Reply {
  const message = `Missing required fields: ${field} and model`;
  return json({ code: 'BadRequest', message }, 400);
}
