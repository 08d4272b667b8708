import { type Answer, type Seen, type ServiceLimits, sqsError } from './limits.ts';

// SendMessageBatch of the SQS API reference, and "Quotas" of its developer guide.

const MAX_ENTRIES = 10;
const BATCH_BYTES = 1024 * 1024;
const MAX_ATTRIBUTES = 10;
const ENTRY_ID = /^[A-Za-z0-9_-]{1,80}$/;
const TOKEN = /^[A-Za-z0-9!"#$%&'()*+,\-./:;<=>?@[\\\]^_`{|}~]{1,128}$/;
const TEXT = /^[\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]*$/u;
const ATTRIBUTE_NAME = /^(?!AWS\.|Amazon\.|\.)(?!.*\.\.)[A-Za-z0-9_.-]{1,256}(?<!\.)$/i;

export interface Entry {
  readonly Id: string;
  readonly MessageBody: string;
  readonly MessageAttributes?: Readonly<
    Record<string, { readonly DataType: string; readonly StringValue: string }>
  >;
  readonly MessageGroupId?: string;
  readonly MessageDeduplicationId?: string;
}

export function entriesOf(seen: Seen): readonly Entry[] {
  return (JSON.parse(seen.body.toString()) as { Entries: Entry[] }).Entries;
}

export class SqsLimits implements ServiceLimits {
  refuse(seen: Seen): Answer | undefined {
    if (seen.action !== 'SendMessageBatch') return undefined;
    const request = JSON.parse(seen.body.toString()) as { QueueUrl: string; Entries?: Entry[] };
    const code = problem(request.Entries ?? [], request.QueueUrl.endsWith('.fifo'));
    return code === undefined ? undefined : sqsError(code);
  }
}

function problem(entries: readonly Entry[], isFifo: boolean): string | undefined {
  if (entries.length === 0) return 'EmptyBatchRequest';
  if (entries.length > MAX_ENTRIES) return 'TooManyEntriesInBatchRequest';
  if (entries.some(({ Id }) => !ENTRY_ID.test(Id))) return 'InvalidBatchEntryId';
  if (new Set(entries.map(({ Id }) => Id)).size < entries.length) return 'BatchEntryIdsNotDistinct';
  if (entries.reduce((sum, entry) => sum + bytesOf(entry), 0) > BATCH_BYTES) {
    return 'BatchRequestTooLong';
  }
  return entries.map((entry) => entryProblem(entry, isFifo)).find((code) => code !== undefined);
}

function bytesOf({ MessageBody, MessageAttributes = {} }: Entry): number {
  let bytes = Buffer.byteLength(MessageBody);
  for (const [name, { DataType, StringValue }] of Object.entries(MessageAttributes)) {
    bytes += Buffer.byteLength(name) + DataType.length + Buffer.byteLength(StringValue);
  }
  return bytes;
}

function entryProblem(entry: Entry, isFifo: boolean): string | undefined {
  const { MessageBody, MessageAttributes = {}, MessageGroupId, MessageDeduplicationId } = entry;
  if (MessageBody === '') return 'MissingParameter';
  if (!TEXT.test(MessageBody)) return 'InvalidMessageContents';
  const attributes = Object.entries(MessageAttributes);
  const isBad = ([name, { DataType, StringValue }]: (typeof attributes)[number]): boolean =>
    !ATTRIBUTE_NAME.test(name) || DataType === '' || StringValue === '' || !TEXT.test(StringValue);
  if (attributes.length > MAX_ATTRIBUTES || attributes.some(isBad)) return 'InvalidParameterValue';
  if (MessageGroupId !== undefined && !TOKEN.test(MessageGroupId)) return 'InvalidParameterValue';
  if (!isFifo) return MessageDeduplicationId === undefined ? undefined : 'InvalidParameterValue';
  if (MessageGroupId === undefined) return 'MissingParameter';
  return TOKEN.test(MessageDeduplicationId ?? '') ? undefined : 'InvalidParameterValue';
}
