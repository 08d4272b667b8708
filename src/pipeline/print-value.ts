import { redactUrl } from '../common/redact-url.ts';
import type { GraphNode, PropertyValue } from './graph.ts';

const REDACTED = '[redacted]';

/** A property as it may be shown: secrets hidden unless `secrets` asks for them. */
export function shownValue(
  node: GraphNode,
  name: string,
  options: { readonly secrets?: boolean } = {},
): PropertyValue {
  const value = node.properties[name] ?? '';
  if (options.secrets === true) return value;
  if (node.secret?.includes(name)) return REDACTED;
  return typeof value === 'string' ? redactUrl(value) : value;
}

/** Caps with a space after each comma and semicolon, for reading. */
export function readableCaps(caps: string): string {
  return caps.replaceAll(/\s*([,;])\s*/g, '$1 ');
}
