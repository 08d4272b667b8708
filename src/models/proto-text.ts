/** A value of a protobuf text: words are enumerators, written without quotes. */
export type ProtoValue =
  | string
  | number
  | boolean
  | { readonly word: string }
  | ProtoMessage
  | readonly (string | number | ProtoMessage)[];
/** A field that is undefined or an empty list is left out; a list is a repeated field. */
export interface ProtoMessage {
  readonly [field: string]: ProtoValue | undefined;
}

/** Text form of a protobuf message, as Triton and nvinferserver read it. */
export function formatProtoText(message: ProtoMessage, indent = ''): string {
  return Object.entries(message)
    .flatMap(([field, value]) => formatField(field, value, indent))
    .map((line) => `${line}\n`)
    .join('');
}

function formatField(field: string, value: ProtoValue | undefined, indent: string): string[] {
  if (value === undefined) return [];
  if (Array.isArray(value)) {
    const items = value as readonly (string | number | ProtoMessage)[];
    if (items.length === 0) return [];
    if (items.some((item) => typeof item === 'object')) {
      return items.flatMap((item) => formatField(field, item, indent));
    }
    return [`${indent}${field}: [${items.map((item) => formatScalar(item as string)).join(', ')}]`];
  }
  if (typeof value !== 'object') return [`${indent}${field}: ${formatScalar(value)}`];
  if (isWord(value)) return [`${indent}${field}: ${value.word}`];
  const body = formatProtoText(value as ProtoMessage, `${indent}  `).trimEnd();
  return body === ''
    ? [`${indent}${field} {}`]
    : [`${indent}${field} {`, ...body.split('\n'), `${indent}}`];
}

function isWord(value: object): value is { readonly word: string } {
  return typeof (value as { word?: unknown }).word === 'string';
}

function formatScalar(value: string | number | boolean): string {
  if (typeof value !== 'string') return String(value);
  const escaped = value.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n');
  return `"${escaped}"`;
}
