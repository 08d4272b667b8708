/**
 * The catalogue as text: one line a property, a pad and a signal, so that a difference between two machines reads as one.
 *
 * @param {object} catalogue
 */
export function formatCatalogue(catalogue) {
  return `${object(catalogue, FIELDS, '')}\n`;
}

/** Which values are spread over lines, and which of theirs; everything else stands on its line. */
const NAMED = { each: {} };
const ENTRY = { properties: NAMED, pads: 'list', signals: NAMED };
const FIELDS = {
  platforms: NAMED,
  bases: { each: NAMED },
  elements: { each: ENTRY },
};

function object(value, fields, indent) {
  const inner = `${indent}  `;
  const lines = Object.entries(value).map(([key, item]) => {
    const spread = 'each' in fields ? fields.each : fields[key];
    return `${inner}${JSON.stringify(key)}: ${text(item, spread, inner)}`;
  });
  return lines.length === 0 ? '{}' : `{\n${lines.join(',\n')}\n${indent}}`;
}

function text(value, spread, indent) {
  if (spread === undefined || Object.keys(value).length === 0) return line(value);
  if (spread === 'list') {
    return `[\n${value.map((item) => `${indent}  ${line(item)}`).join(',\n')}\n${indent}]`;
  }
  return Object.keys(spread).length === 0 ? line(value) : object(value, spread, indent);
}

/** Compact, with a space where a reader wants one. */
function line(value) {
  if (Array.isArray(value)) return `[${value.map(line).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const parts = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${line(item)}`);
  return parts.length === 0 ? '{}' : `{ ${parts.join(', ')} }`;
}
