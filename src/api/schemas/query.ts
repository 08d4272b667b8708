import { Type } from 'typebox';
import { Count, listOf, named } from './shared.ts';

const Column = Type.Object(
  { name: Type.String(), type: Type.String({ description: "DuckDB's name of the type" }) },
  { additionalProperties: false },
);

export const QueryAnswerSchema = named(
  'QueryAnswer',
  {
    columns: listOf(Column),
    rows: listOf(
      Type.Unsafe<readonly unknown[]>({ type: 'array', items: {} }),
      'Values in the order of the columns. Times are RFC 3339 in UTC',
    ),
    truncated: Type.Boolean({ description: 'There are more rows than `limit`' }),
    elapsedMs: Count('Time it took'),
  },
  'Rows of a query',
);
