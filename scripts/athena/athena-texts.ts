import type { TrinoColumn, TypeSignature } from './trino.ts';

/** Values of Trino's protocol as the texts that GetQueryResults has. */
export function cellText(value: unknown, type: TypeSignature): string | undefined {
  return value === null || value === undefined ? undefined : textOf(value, type);
}

function textOf(value: unknown, type: TypeSignature): string {
  if (value === null || value === undefined) return 'null';
  const parts = type.arguments.map((each) => each.value as TypeSignature & NamedType);
  switch (type.rawType) {
    case 'array':
      return `[${(value as unknown[]).map((item) => textOf(item, parts[0]!)).join(', ')}]`;
    case 'map':
      return `{${Object.entries(value as object)
        .map(([key, item]) => `${key}=${textOf(item, parts[1]!)}`)
        .join(', ')}}`;
    case 'row':
      return `{${(value as unknown[])
        .map((item, at) => {
          const { fieldName, typeSignature } = parts[at]!;
          return `${fieldName?.name ?? `field${at}`}=${textOf(item, typeSignature)}`;
        })
        .join(', ')}}`;
    case 'real':
    case 'double':
      return fractionText(value as number | string);
    default:
      return String(value);
  }
}

/** As Java writes it. Trino's protocol has `NaN` and `Infinity` as texts. */
function fractionText(value: number | string): string {
  if (typeof value === 'string') return value;
  const size = Math.abs(value);
  if (value === 0 || (size >= 1e-3 && size < 1e7)) {
    return Number.isInteger(value) ? `${value}.0` : String(value);
  }
  const [mantissa = '', exponent = ''] = value.toExponential().split('e');
  return `${mantissa}${mantissa.includes('.') ? '' : '.0'}E${exponent.replace('+', '')}`;
}

interface NamedType {
  readonly fieldName?: { readonly name: string };
  readonly typeSignature: TypeSignature;
}

export function columnInfo({ name, typeSignature: { rawType } }: TrinoColumn) {
  const Type = rawType === 'real' ? 'float' : rawType;
  return { CatalogName: 'hive', SchemaName: '', TableName: '', Name: name, Label: name, Type };
}
