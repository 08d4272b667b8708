import type { PendingRecord } from '../../common/delivery.ts';
import { SightlineError } from '../../common/errors.ts';
import { ByteWriter } from './byte-writer.ts';
import { deepStreamJson } from './deepstream.ts';
import type { FieldMask } from './field-mask.ts';
import { writeFrameLine } from './frame-line.ts';

/** Version of sightline.v1 that consumers see in headers. */
export const SCHEMA_VERSION = '1';

export type Format = 'protobuf' | 'json' | 'deepstream';

export const JSON_TYPE = 'application/json';

/** MIME type of a record's own bytes. */
const CONTENT_TYPES = {
  frame: 'application/x-protobuf; messageType="sightline.v1.Frame"',
  image: 'application/x-protobuf; messageType="sightline.v1.Image"',
  segment: 'application/x-protobuf; messageType="sightline.v1.Segment"',
  event: JSON_TYPE,
} as const;

const shared = new ByteWriter();

export interface Encoded {
  readonly contentType: string;
  readonly bytes: Uint8Array;
}

/** What the body of a record is written in: only frames have a choice, pictures and segments are protobuf, events JSON. */
export function formatOf({ kind }: PendingRecord, format: Format): Format {
  if (kind === 'frame') return format;
  return kind === 'event' ? 'json' : 'protobuf';
}

/**
 * The body of a record in a format.
 * @param mask for frames in protobuf and JSON; default: whole frames
 * @throws SightlineError `SL_SINK_REJECTED` when a frame cannot be read
 */
export function encode(record: PendingRecord, format: Format, mask?: FieldMask): Encoded {
  const { kind, payload } = record;
  if (kind !== 'frame') return { contentType: CONTENT_TYPES[kind], bytes: payload };
  if (format === 'protobuf') {
    const bytes = mask === undefined ? payload : readable(record, () => mask.apply(payload));
    return { contentType: CONTENT_TYPES.frame, bytes };
  }
  if (format === 'deepstream') {
    const text = readable(record, () => deepStreamJson(payload));
    return { contentType: JSON_TYPE, bytes: Buffer.from(text) };
  }
  if (mask !== undefined) {
    const text = readable(record, () => JSON.stringify(mask.toJson(payload)));
    return { contentType: JSON_TYPE, bytes: Buffer.from(text) };
  }
  shared.truncate(0);
  writeJsonLine(shared, record);
  return { contentType: JSON_TYPE, bytes: Buffer.from(shared.bytes()) };
}

/**
 * Writes a frame or an event as one line of JSON, without the line feed.
 * @throws SightlineError `SL_SINK_REJECTED` when it cannot be read; nothing is written then
 */
export function writeJsonLine(writer: ByteWriter, record: PendingRecord): void {
  readable(record, () => {
    if (record.kind === 'frame') writeFrameLine(writer, record.payload);
    else writer.text(JSON.stringify(JSON.parse(Buffer.from(record.payload).toString('utf8'))));
  });
}

function readable<T>({ kind, recordId }: PendingRecord, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new SightlineError(
      'SL_SINK_REJECTED',
      `Cannot put ${kind} ${recordId} into the format of the sink: its bytes are damaged`,
      { cause },
    );
  }
}
