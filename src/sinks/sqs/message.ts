import { createHash } from 'node:crypto';
import type { MessageAttributeValue, SendMessageBatchRequestEntry } from '@aws-sdk/client-sqs';
import type { PendingRecord } from '../../common/delivery.ts';
import type { StoredObject } from '../aws/object-store.ts';
import { type Encoded, encode, type Format, SCHEMA_VERSION } from '../format/encode.ts';

const CLAIM_TYPE = 'application/vnd.sightline.claim-check+json';
/** SQS takes these in group ids, at most 128. */
const GROUP_ID = /^[A-Za-z0-9!"#$%&'()*+,\-./:;<=>?@[\\\]^_`{|}~]{1,128}$/;

/** A record ready for SQS. */
export interface SqsMessage {
  /** Position in the batch. */
  readonly index: number;
  readonly record: PendingRecord;
  readonly body: string;
  readonly attributes: Record<string, MessageAttributeValue>;
  readonly groupId: string;
  /** As SQS counts it: body and attributes in UTF-8. */
  readonly bytes: number;
}

/** Body of a message whose record lies in S3. */
export interface ClaimCheck extends StoredObject {
  readonly recordId: string;
  readonly contentType: string;
}

/**
 * JSON goes as text; protobuf, which has bytes that SQS refuses, as base64 (attribute `encoding`).
 * @throws SightlineError `SL_SINK_REJECTED` when a frame cannot be read
 */
export function toMessage(record: PendingRecord, index: number, format: Format): SqsMessage {
  const { contentType, bytes }: Encoded = encode(record, format);
  const isText = contentType === 'application/json';
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(
    isText ? 'utf8' : 'base64',
  );
  return build(record, index, body, {
    contentType,
    ...(isText ? {} : { encoding: 'base64' }),
  });
}

/** The message that stands for a record in S3. */
export function toClaimMessage(
  record: PendingRecord,
  index: number,
  stored: StoredObject,
  contentType: string,
): SqsMessage {
  const claim: ClaimCheck = { ...stored, recordId: record.recordId, contentType };
  return build(record, index, JSON.stringify(claim), { contentType: CLAIM_TYPE });
}

/** Where a record too big for the queue goes: the same key whenever it is sent again. */
export function claimKey(record: PendingRecord): string {
  const hash = createHash('sha256').update(record.recordId).digest('hex');
  return `${record.streamId}/${hash}`;
}

export function toEntry(message: SqsMessage, isFifo: boolean): SendMessageBatchRequestEntry {
  const entry: SendMessageBatchRequestEntry = {
    Id: String(message.index),
    MessageBody: message.body,
    MessageAttributes: message.attributes,
    // On standard queues a group only keeps one busy camera from starving the others.
    MessageGroupId: message.groupId,
  };
  if (!isFifo) return entry;
  const hash = createHash('sha256').update(message.record.recordId).digest('hex');
  return { ...entry, MessageDeduplicationId: hash };
}

function build(
  record: PendingRecord,
  index: number,
  body: string,
  special: Readonly<Record<string, string>>,
): SqsMessage {
  const texts = {
    ...special,
    kind: record.kind,
    recordId: record.recordId,
    streamId: record.streamId,
    schemaVersion: SCHEMA_VERSION,
  };
  const attributes: Record<string, MessageAttributeValue> = {};
  let bytes = Buffer.byteLength(body);
  for (const [name, value] of Object.entries(texts)) {
    attributes[name] = { DataType: 'String', StringValue: value };
    bytes += name.length + 'String'.length + Buffer.byteLength(value);
  }
  return { index, record, body, attributes, groupId: groupIdOf(record.streamId), bytes };
}

function groupIdOf(streamId: string): string {
  if (GROUP_ID.test(streamId)) return streamId;
  return createHash('sha256').update(streamId).digest('hex');
}
