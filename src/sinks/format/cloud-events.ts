import { JSON_TYPE, SCHEMA_VERSION } from './encode.ts';
import type { Message } from './formatter.ts';

// CloudEvents 1.0.2 (github.com/cloudevents/spec): the attributes of a message, and where a transport puts them.

export const CLOUD_EVENT_TYPE = 'application/cloudevents+json; charset=utf-8';

/** Bytes of the envelope around the data, but for the ids in it: a safe upper bound. */
export const ENVELOPE_BYTES = 1024;

type Enveloped = Pick<Message, 'recordId' | 'streamId' | 'kind' | 'atMs' | 'attributes'>;

/** Context attributes by their plain names, without `datacontenttype`. */
export function cloudEventAttributes(message: Enveloped): Record<string, string> {
  const { recordId, streamId, kind, atMs, attributes } = message;
  const many = attributes['frames'] === undefined ? '' : 's';
  return {
    specversion: '1.0',
    id: recordId,
    source: `/sightline/${encodeURIComponent(streamId)}`,
    type: `sightline.${kind}${many}.v${SCHEMA_VERSION}`,
    subject: streamId,
    time: new Date(atMs).toISOString(),
    // Extensions: letters and digits alone may stand in names.
    schemaversion: SCHEMA_VERSION,
    dataformat: attributes['format'] ?? '',
  };
}

/** The structured mode: everything in one JSON object. */
export function structured(
  attributes: Readonly<Record<string, string>>,
  contentType: string,
  data: Uint8Array,
): Uint8Array {
  const head = JSON.stringify({ ...attributes, datacontenttype: contentType }).slice(0, -1);
  if (contentType === JSON_TYPE) {
    return Buffer.concat([Buffer.from(`${head},"data":`), data, Buffer.from('}')]);
  }
  const base64 = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64');
  return Buffer.from(`${head},"data_base64":"${base64}"}`);
}

/**
 * How each protocol binding names an attribute: Kafka 3.2.3, AMQP 3.1.3 (application properties), MQTT 3.1.3 (user
 * properties), HTTP 3.1.3. The content type goes where the transport has a place of its own for it.
 */
const PREFIXES = { kafka: 'ce_', amqp: 'cloudEvents:', mqtt: '', http: 'ce-' } as const;
export type CloudEventBinding = keyof typeof PREFIXES;

/** The headers or properties of a message in an envelope; none for a message without. */
export function cloudEventHeaders(
  { cloudEvent = {} }: Pick<Message, 'cloudEvent'>,
  binding: CloudEventBinding,
): Record<string, string> {
  const prefix = PREFIXES[binding];
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(cloudEvent)) {
    headers[`${prefix}${name}`] = binding === 'http' ? percentEncoded(value) : value;
  }
  return headers;
}

/** HTTP 3.1.3.2: everything but printable ASCII, and the space, quote and per cent sign. */
function percentEncoded(text: string): string {
  return text.replace(/[^\x21\x23\x24\x26-\x7e]+/gu, encodeURIComponent);
}
