/** What stood beside a body, in whatever form the client of a transport gives it. */
export type RawAttributes =
  | Readonly<Record<string, unknown>>
  | ReadonlyMap<unknown, unknown>
  | readonly Readonly<Record<string, unknown>>[];

/** What the decoder asks of it. */
export interface Attributes {
  readonly contentType: string;
  /** `base64` where the transport takes text alone. */
  readonly encoding: string;
  readonly kind: string;
  readonly recordId: string;
  readonly streamId: string;
  /** `protobuf`, `json` or `deepstream`. */
  readonly format: string;
}

/** Names are compared without case, hyphens and the prefix that HTTP headers of ours have. */
function plain(name: string): string {
  return name
    .toLowerCase()
    .replace(/^sightline-/, '')
    .replaceAll('-', '');
}

/** `ce_id` of Kafka, `cloudEvents:id` of AMQP, `ce-id` of HTTP: `ceid` once plain, as MQTT's `id` is not. */
const CLOUD_PREFIX = /^(?:ce[_-]|cloudevents[:_])/i;

/**
 * Takes headers of Kafka clients (texts, buffers, lists, maps; also librdkafka's list of objects), MessageAttributes of SQS,
 * user properties of MQTT, headers of AMQP and HTTP, and CloudEvents attributes in the binary mode of each.
 */
export function readAttributes(raw: RawAttributes | undefined): Attributes {
  const found = new Map<string, string>();
  const clouds = new Map<string, string>();
  for (const group of Array.isArray(raw) ? (raw as readonly RawAttributes[]) : [raw ?? {}]) {
    const entries = group instanceof Map ? group : Object.entries(group);
    for (const [key, value] of entries) {
      const name = textOf(key) ?? '';
      const text = textOf(value);
      if (text === undefined) continue;
      const isCloud = CLOUD_PREFIX.test(name);
      if (isCloud) clouds.set(name.replace(CLOUD_PREFIX, '').toLowerCase(), text);
      else found.set(plain(name), text);
    }
  }
  // MQTT has the names without a prefix.
  const cloud = clouds.size > 0 ? clouds : found.has('specversion') ? found : clouds;
  const get = (name: string): string => found.get(name) ?? '';
  return {
    contentType: get('contenttype') || (cloud.get('datacontenttype') ?? ''),
    encoding: get('encoding'),
    kind: get('kind') || kindOfType(cloud.get('type')),
    recordId: get('recordid') || (cloud.get('id') ?? ''),
    streamId: get('streamid') || (cloud.get('subject') ?? ''),
    format: get('format') || (cloud.get('dataformat') ?? ''),
  };
}

/** `sightline.frame.v1` and `sightline.frames.v1`: frame. */
export function kindOfType(type: unknown): string {
  return typeof type === 'string'
    ? (/^sightline\.(frame|image|event|segment)s?\./.exec(type)?.[1] ?? '')
    : '';
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (value instanceof Uint8Array) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8');
  }
  if (Array.isArray(value)) return textOf(value[0]);
  if (typeof value !== 'object' || value === null) return undefined;
  // SQS: StringValue in what ReceiveMessage gives, stringValue in events of Lambda.
  const { StringValue, stringValue } = value as { StringValue?: unknown; stringValue?: unknown };
  return textOf(StringValue ?? stringValue);
}
