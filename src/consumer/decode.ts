import { SightlineError } from '../common/errors.ts';
import { sightline } from '../gen/frame.js';
import { type FrameJson, frameToJson } from '../metadata/frame.ts';
import { decodeImage } from '../metadata/image.ts';
import { segmentToJson } from '../metadata/segment-json.ts';
import { type Attributes, kindOfType, type RawAttributes, readAttributes } from './attributes.ts';
import { isDeepStream, readDeepStream } from './deepstream.ts';
import type { SightlineRecord } from './records.ts';

const OPENING_BRACE = 0x7b;
const OPENING_BRACKET = 0x5b;

/**
 * The records in a message of any of Sightline's sinks: every format, batches of frames, base64, CloudEvents in both modes.
 * Without attributes (MQTT 3.1.1, Kinesis, files) the bytes themselves say what they are.
 *
 * @param body as the client of the transport gives it
 * @param attributes headers, user properties or message attributes, as the client gives them
 * @throws SightlineError `SL_MESSAGE_INVALID` for bytes that no sink of Sightline sends
 */
export function decodeMessage(
  body: Uint8Array | string,
  attributes?: RawAttributes,
): SightlineRecord[] {
  try {
    return decode(body, readAttributes(attributes));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SightlineError(
      'SL_MESSAGE_INVALID',
      `Cannot read a message of ${body.length} bytes as records of Sightline: ${reason}`,
      { cause },
    );
  }
}

function decode(body: Uint8Array | string, attributes: Attributes): SightlineRecord[] {
  let bytes: Buffer;
  if (typeof body === 'string') {
    bytes = Buffer.from(body, attributes.encoding === 'base64' ? 'base64' : 'utf8');
  } else {
    bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    if (attributes.encoding === 'base64') bytes = Buffer.from(bytes.toString('latin1'), 'base64');
  }
  // No protobuf message of ours begins with either.
  const isJson = bytes[0] === OPENING_BRACE || bytes[0] === OPENING_BRACKET;
  if (!isJson) return decodeBytes(bytes, attributes);
  return decodeJson(JSON.parse(bytes.toString('utf8')), attributes);
}

function decodeJson(value: unknown, attributes: Attributes): SightlineRecord[] {
  if (Array.isArray(value)) {
    // The id beside a batch is that of the batch.
    return value.flatMap((item) => decodeJson(item, { ...attributes, recordId: '' }));
  }
  if (typeof value !== 'object' || value === null) throw new TypeError('JSON that is no object');
  const json = value as Readonly<Record<string, unknown>>;
  if (typeof json['specversion'] === 'string' && typeof json['source'] === 'string') {
    return decodeEnvelope(json);
  }
  const { recordId, streamId, kind } = attributes;
  if (isDeepStream(json)) {
    const frame = readDeepStream(json);
    const ownId = `${frame.sensorId}/${frame.id}/${frame.timestamp}`;
    return [
      {
        kind: 'deepstream',
        recordId: recordId || ownId,
        streamId: streamId || frame.sensorId,
        frame,
      },
    ];
  }
  // A frame has no type.
  if (kind === 'event' || typeof json['type'] === 'string') {
    if (typeof json['type'] !== 'string') throw new TypeError('an event without a type');
    const ids = {
      recordId: recordId || ownEventId(json),
      streamId: streamId || textIn(json, 'streamId'),
    };
    return [{ kind: 'event', ...ids, event: json }];
  }
  return [frameRecord(json as unknown as FrameJson)];
}

/** EventBridge events have the id of their record in them, others have what it is made of. */
function ownEventId(event: Readonly<Record<string, unknown>>): string {
  const own = textIn(event, 'recordId');
  if (own !== '' || event['id'] === undefined) return own;
  return `event/${String(event['id'])}`;
}

function textIn(json: Readonly<Record<string, unknown>>, key: string): string {
  const value = json[key];
  return typeof value === 'string' ? value : '';
}

/** CloudEvents in structured mode. */
function decodeEnvelope(event: Readonly<Record<string, unknown>>): SightlineRecord[] {
  const attributes: Attributes = {
    contentType: String(event['datacontenttype'] ?? ''),
    encoding: '',
    kind: kindOfType(event['type']),
    recordId: String(event['id'] ?? ''),
    streamId: String(event['subject'] ?? ''),
    format: String(event['dataformat'] ?? ''),
  };
  const base64 = event['data_base64'];
  if (typeof base64 === 'string') return decode(Buffer.from(base64, 'base64'), attributes);
  return decodeJson(event['data'], attributes);
}

function decodeBytes(bytes: Buffer, { kind, contentType }: Attributes): SightlineRecord[] {
  const type = /messageType="?sightline\.v1\.(\w+)/.exec(contentType)?.[1];
  if (type === 'Image' || kind === 'image') return [imageRecord(bytes)];
  if (type === 'Segment' || kind === 'segment') return [segmentRecord(bytes)];
  if (type === 'FrameBatch') return batchRecords(bytes);
  if (type === 'Frame') return [frameRecord(frameToJson(bytes))];
  // Every frame has its id, whatever mask was laid on it; a batch and a picture have nothing in that place.
  const isFrame = holds(() => sightline.v1.Frame.decode(bytes).recordId !== '');
  if (isFrame) return [frameRecord(frameToJson(bytes))];
  const isBatch = holds(() => Boolean(sightline.v1.FrameBatch.decode(bytes).frames[0]?.recordId));
  if (isBatch) return batchRecords(bytes);
  // A picture has something else there.
  const isSegment = holds(() => /^video\//.test(sightline.v1.Segment.decode(bytes).contentType));
  return [isSegment ? segmentRecord(bytes) : imageRecord(bytes)];
}

function holds(test: () => boolean): boolean {
  try {
    return test();
  } catch {
    return false;
  }
}

function batchRecords(bytes: Uint8Array): SightlineRecord[] {
  const { frames } = sightline.v1.FrameBatch.decode(bytes);
  return frames.map((frame) => frameRecord(frameToJson(frame as sightline.v1.Frame)));
}

function frameRecord(frame: FrameJson): SightlineRecord {
  const { recordId, streamId } = frame;
  if (!recordId) throw new TypeError('a frame without its record id');
  return { kind: 'frame', recordId, streamId, frame };
}

function segmentRecord(bytes: Uint8Array): SightlineRecord {
  const segment = segmentToJson(bytes);
  const { recordId, streamId } = segment;
  if (!recordId) throw new TypeError('a segment without its record id');
  return { kind: 'segment', recordId, streamId, segment };
}

function imageRecord(bytes: Uint8Array): SightlineRecord {
  const { recordId, streamId, ref, contentType, width, height, data, epoch } = decodeImage(bytes);
  if (!recordId) throw new TypeError('neither a frame nor a picture');
  const owner = Number(epoch);
  const image = { recordId, streamId, ref, contentType, width, height, data, bytes };
  return { kind: 'image', ...image, ...(owner === 0 ? {} : { epoch: owner }) };
}
