import type { PendingRecord } from '../../common/delivery.ts';
import { SightlineError } from '../../common/errors.ts';
import { ByteWriter } from './byte-writer.ts';
import { writeFrameLine } from './frame-line.ts';

/** Version of sightline.v1 that consumers see in headers. */
export const SCHEMA_VERSION = '1';

export type Format = 'protobuf' | 'json';

/** MIME type of a record's own bytes. */
const CONTENT_TYPES = {
  frame: 'application/x-protobuf; messageType="sightline.v1.Frame"',
  image: 'application/x-protobuf; messageType="sightline.v1.Image"',
  event: 'application/json',
} as const;

const shared = new ByteWriter();

export interface Encoded {
  readonly contentType: string;
  readonly bytes: Uint8Array;
}

/**
 * The body of a record in a format. Only frames have a choice: pictures are protobuf, events JSON.
 * @throws SightlineError `SL_SINK_REJECTED` when a frame cannot be read
 */
export function encode(record: PendingRecord, format: Format): Encoded {
  if (record.kind === 'frame' && format === 'json') {
    shared.truncate(0);
    writeJsonLine(shared, record);
    return { contentType: 'application/json', bytes: Buffer.from(shared.bytes()) };
  }
  return { contentType: CONTENT_TYPES[record.kind], bytes: record.payload };
}

/**
 * Writes a frame or an event as one line of JSON, without the line feed.
 * @throws SightlineError `SL_SINK_REJECTED` when it cannot be read; nothing is written then
 */
export function writeJsonLine(writer: ByteWriter, record: PendingRecord): void {
  try {
    if (record.kind === 'frame') writeFrameLine(writer, record.payload);
    else writer.text(JSON.stringify(JSON.parse(Buffer.from(record.payload).toString('utf8'))));
  } catch (cause) {
    throw new SightlineError(
      'SL_SINK_REJECTED',
      `Cannot turn ${record.kind} ${record.recordId} into JSON: its bytes are damaged`,
      { cause },
    );
  }
}
