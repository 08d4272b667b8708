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
  const shown = typeof value === 'string' ? redactUrl(value) : value;
  // Of a URL the host may be shown: only what redactUrl found in it made it a secret.
  return node.secret?.includes(name) && shown === value ? REDACTED : shown;
}

/** Caps with a space after each comma and semicolon, for reading. */
export function readableCaps(caps: string): string {
  return caps.replaceAll(/\s*([,;])\s*/g, '$1 ');
}
