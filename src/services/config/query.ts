import { type Static, Type } from 'typebox';
import { defaulted, strictObject } from '../../common/schema.ts';
import { AWS } from '../../sinks/spec-parts.ts';

const MIB = 1024 ** 2;

export const QUERY_DEFAULTS = { api: false, timeoutMs: 10_000, memoryBytes: 256 * MIB };

/** Queries over what the file sinks wrote as Parquet, and over the tables in AWS. */
export const QueryConfig = strictObject({
  api: defaulted(
    Type.Boolean({ description: 'true: POST /v1/query answers, to whoever reaches the port' }),
    QUERY_DEFAULTS.api,
  ),
  timeoutMs: defaulted(
    Type.Integer({ minimum: 100, maximum: 600_000, description: 'Then a query is ended' }),
    QUERY_DEFAULTS.timeoutMs,
  ),
  memoryBytes: defaulted(
    Type.Integer({
      minimum: 32 * MIB,
      description: 'What the engine of one query may hold; its process has up to 512 MiB more',
    }),
    QUERY_DEFAULTS.memoryBytes,
  ),
  athena: Type.Optional(
    strictObject(
      {
        ...AWS,
        workGroup: defaulted(Type.String({ minLength: 1 }), 'sightline'),
        database: defaulted(Type.String({ minLength: 1 }), 'sightline'),
        catalog: defaulted(Type.String({ minLength: 1 }), 'AwsDataCatalog'),
      },
      { description: 'Where `sightline query --athena` asks' },
    ),
  ),
});
export type QueryConfig = Static<typeof QueryConfig>;
