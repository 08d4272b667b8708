import { type Static, Type } from 'typebox';
import { defaulted, oneOf, strictObject } from '../../common/schema.ts';
import { AWS, COMMON, kinds, MESSAGE, SegmentRows } from '../spec-parts.ts';

/** Amazon Data Firehose: lines of JSON, many to a record. */
export const FirehoseSinkSpec = strictObject({
  ...COMMON,
  type: Type.Literal('firehose'),
  ...AWS,
  deliveryStream: Type.String({ minLength: 1, maxLength: 64, pattern: '^[a-zA-Z0-9_.-]+$' }),
  kinds: kinds(['frame', 'event', 'segment'], ['frame']),
  rows: defaulted(
    oneOf(['objects', 'frames'], {
      description: 'Of a frame: a flat row per detected object, or one row, its JSON mapping',
    }),
    'objects',
  ),
  segmentRows: defaulted(SegmentRows, 'frames'),
  envelope: MESSAGE.envelope,
  fields: MESSAGE.fields,
  rowsPerRecord: defaulted(
    Type.Integer({
      minimum: 1,
      maximum: 500,
      description: 'Rows that share a record of Firehose, which bills each as 5 KB at least',
    }),
    500,
  ),
  concurrency: defaulted(
    Type.Integer({ minimum: 1, maximum: 50, description: 'Requests at a time' }),
    4,
  ),
});
export type FirehoseSinkSpec = Static<typeof FirehoseSinkSpec>;
