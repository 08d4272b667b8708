import { createHash } from 'node:crypto';
import { ID_PATTERN } from '../../common/schema.ts';

const ID = new RegExp(ID_PATTERN);
const MAX_SLUG = 40;
const HASH_DIGITS = 10;

/**
 * An id of ours for any text: the text itself where it is one, else what can be kept of it and a hash of all of it. The
 * same text always has the same id; two texts have different ones (but for a collision of 40 bits).
 */
export function idFor(text: string): string {
  if (ID.test(text)) return text;
  const hash = createHash('sha256').update(text).digest('hex').slice(0, HASH_DIGITS);
  const slug = text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9_]+/g, '-')
    .replace(/^[-_]+/, '')
    .slice(0, MAX_SLUG)
    .replace(/-+$/, '');
  return slug === '' ? hash : `${slug}-${hash}`;
}
