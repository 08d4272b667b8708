import { createHash } from 'node:crypto';
import type { MessageAttributeValue, SendMessageBatchRequestEntry } from '@aws-sdk/client-sqs';
import type { Message } from '../format/formatter.ts';
import type { ClaimCheck } from './claims.ts';

const CLAIM_TYPE = 'application/vnd.sightline.claim-check+json';
/** SQS takes these in group ids, at most 128. */
const GROUP_ID = /^[A-Za-z0-9!"#$%&'()*+,\-./:;<=>?@[\\\]^_`{|}~]{1,128}$/;
/** Everything else makes SQS refuse the whole request (SendMessage, InvalidMessageContents). */
const REFUSED_CHARACTER = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u;

/** Where a message belongs. */
export interface Place {
  readonly message: Message;
  /** Position of its first record in the batch. */
  readonly index: number;
  readonly groupId: string;
}

/** A message in the shape of SQS. */
export interface SqsMessage extends Place {
  readonly body: string;
  readonly attributes: Record<string, MessageAttributeValue>;
  /** As SQS counts it: body and attributes in UTF-8. */
  readonly bytes: number;
}

/** Text goes as it is; what has bytes or characters that SQS refuses as base64 (attribute `encoding`). */
export function toSqsMessage(message: Message): SqsMessage {
  const { contentType, body, isText } = message;
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (isText) {
    const text = bytes.toString('utf8');
    if (!REFUSED_CHARACTER.test(text)) return build(message, text, { contentType });
  }
  return build(message, bytes.toString('base64'), { contentType, encoding: 'base64' });
}

/** The message that stands for a body in S3. */
export function toClaimMessage(message: Message, claim: ClaimCheck): SqsMessage {
  return build(message, JSON.stringify(claim), { contentType: CLAIM_TYPE });
}

export function toEntry(
  { message, index, body, attributes, groupId }: SqsMessage,
  isFifo: boolean,
): SendMessageBatchRequestEntry {
  const entry: SendMessageBatchRequestEntry = {
    Id: String(index),
    MessageBody: body,
    MessageAttributes: attributes,
    // On standard queues a group only keeps one busy camera from starving the others.
    MessageGroupId: groupId,
  };
  return isFifo ? { ...entry, MessageDeduplicationId: sha256(message.recordId) } : entry;
}

function build(
  message: Message,
  body: string,
  special: Readonly<Record<string, string>>,
): SqsMessage {
  const attributes: Record<string, MessageAttributeValue> = {};
  let bytes = Buffer.byteLength(body);
  for (const facts of [special, message.attributes]) {
    for (const name in facts) {
      const value = facts[name]!;
      // An attribute without a value is refused.
      if (value === '') continue;
      attributes[name] = { DataType: 'String', StringValue: value };
      bytes += name.length + 'String'.length + Buffer.byteLength(value);
    }
  }
  const { index, groupId } = placeOf(message);
  return { message, index, groupId, body, attributes, bytes };
}

/** Where a message belongs, whatever its body becomes. */
export function placeOf(message: Message): Place {
  const { streamId, indexes } = message;
  const groupId = GROUP_ID.test(streamId) ? streamId : sha256(streamId);
  return { message, index: indexes[0]!, groupId };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
