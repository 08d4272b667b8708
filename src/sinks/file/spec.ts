import { type Static, Type } from 'typebox';
import { defaulted, oneOf, strictObject } from '../../common/schema.ts';
import { COMMON, kinds, MIB } from '../spec-parts.ts';

/** Local files: NDJSON, length-delimited protobuf and Parquet per stream and hour, pictures beside them. */
export const FileSinkSpec = strictObject({
  ...COMMON,
  type: Type.Literal('file'),
  dir: Type.String({ minLength: 1, description: 'Relative to the configuration file' }),
  kinds: kinds(['frame', 'image', 'event', 'segment'], ['frame', 'image', 'event']),
  formats: defaulted(
    Type.Array(oneOf(['ndjson', 'protobuf', 'parquet']), { minItems: 1, uniqueItems: true }),
    ['ndjson', 'protobuf'],
  ),
  maxFileBytes: defaulted(Type.Integer({ minimum: 4096 }), 64 * MIB),
  maxFileAgeMs: defaulted(Type.Integer({ minimum: 1000 }), 3_600_000),
  maxWaitMs: defaulted(
    Type.Integer({ minimum: 0, maximum: 60_000, description: 'How long records gather' }),
    2_000,
  ),
});
export type FileSinkSpec = Static<typeof FileSinkSpec>;
