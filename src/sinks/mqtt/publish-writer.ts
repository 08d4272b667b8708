import { varintBytes, writeVarint } from '../format/length-delimited.ts';

// Section numbers are those of MQTT 5.0 (docs.oasis-open.org/mqtt/mqtt/v5.0).

/** 3.3.1: type 3, QoS 1, neither a duplicate nor retained. */
const PUBLISH_QOS_1 = 0x32;
const RETAIN = 0x01;
/** 2.2.2.2 */
const PAYLOAD_FORMAT_INDICATOR = 0x01;
const MESSAGE_EXPIRY_INTERVAL = 0x02;
const CONTENT_TYPE = 0x03;
const USER_PROPERTY = 0x26;
/** 1.5.4 */
const MAX_TEXT_BYTES = 0xffff;

const SLAB_BYTES = 512 * 1024;
/** Larger bodies are handed on as they are. */
const COPY_BYTES = 16 * 1024;

/** Of MQTT 5. */
export interface PublishProperties {
  readonly payloadFormatIndicator?: boolean;
  /** Seconds. */
  readonly messageExpiryInterval?: number;
  readonly contentType?: string;
  readonly userProperties?: Record<string, string>;
}

export interface PublishPacket {
  readonly topic: string;
  readonly body: Uint8Array;
  readonly options: { readonly retain: boolean; readonly properties?: PublishProperties };
}

/**
 * Makes PUBLISH packets with QoS 1, many of them in one buffer: mqtt.js writes each in some thirty pieces and keeps a copy
 * for a reconnect that never comes here, which takes five times as long.
 */
export class PublishWriter {
  readonly #isVersion5: boolean;
  #slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
  /** What was not taken yet begins here. */
  #start = 0;
  #at = 0;
  #parts: Uint8Array[] = [];

  constructor(protocolVersion: 4 | 5) {
    this.#isVersion5 = protocolVersion === 5;
  }

  /**
   * @param id packet identifier, 1 to 65535
   * @returns false for a text that does not fit into the protocol: nothing was written then
   */
  add({ topic, body, options }: PublishPacket, id: number): boolean {
    const { properties } = options;
    const topicBytes = Buffer.byteLength(topic);
    const propertyBytes = this.#isVersion5 ? bytesOf(properties) : 0;
    if (topicBytes > MAX_TEXT_BYTES || Number.isNaN(propertyBytes)) return false;
    const header = 2 + topicBytes + 2 + (this.#isVersion5 ? varintBytes(propertyBytes) : 0);
    const remaining = header + propertyBytes + body.byteLength;
    const isLarge = body.byteLength > COPY_BYTES;
    this.#reserve(1 + 4 + (isLarge ? remaining - body.byteLength : remaining));
    this.#byte(PUBLISH_QOS_1 | (options.retain ? RETAIN : 0));
    this.#varint(remaining);
    this.#text(topic, topicBytes);
    this.#uint16(id);
    if (this.#isVersion5) {
      this.#varint(propertyBytes);
      this.#properties(properties);
    }
    if (isLarge) {
      this.#cut();
      this.#parts.push(body);
    } else {
      this.#slab.set(body, this.#at);
      this.#at += body.byteLength;
    }
    return true;
  }

  /** The packets that were added since, in order. Their bytes stay as they are. */
  take(): readonly Uint8Array[] {
    this.#cut();
    const parts = this.#parts;
    this.#parts = [];
    return parts;
  }

  #properties(properties: PublishProperties = {}): void {
    const { payloadFormatIndicator, messageExpiryInterval, contentType, userProperties } =
      properties;
    if (payloadFormatIndicator !== undefined) {
      this.#byte(PAYLOAD_FORMAT_INDICATOR);
      this.#byte(payloadFormatIndicator ? 1 : 0);
    }
    if (messageExpiryInterval !== undefined) {
      this.#byte(MESSAGE_EXPIRY_INTERVAL);
      this.#at = this.#slab.writeUInt32BE(messageExpiryInterval, this.#at);
    }
    if (contentType !== undefined) {
      this.#byte(CONTENT_TYPE);
      this.#text(contentType);
    }
    for (const name in userProperties) {
      this.#byte(USER_PROPERTY);
      this.#text(name);
      this.#text(userProperties[name]!);
    }
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#slab.byteLength) return;
    this.#cut();
    this.#slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, bytes));
    this.#start = 0;
    this.#at = 0;
  }

  #cut(): void {
    if (this.#at > this.#start) this.#parts.push(this.#slab.subarray(this.#start, this.#at));
    this.#start = this.#at;
  }

  #byte(value: number): void {
    this.#slab[this.#at++] = value;
  }

  #uint16(value: number): void {
    this.#slab[this.#at++] = value >>> 8;
    this.#slab[this.#at++] = value & 0xff;
  }

  /** 1.5.5: seven bits a byte, the low ones first. */
  #varint(value: number): void {
    this.#at = writeVarint(this.#slab, this.#at, value);
  }

  #text(text: string, byteLength = Buffer.byteLength(text)): void {
    this.#uint16(byteLength);
    this.#slab.write(text, this.#at);
    this.#at += byteLength;
  }
}

/** NaN where a text is too long for the protocol. */
function bytesOf(properties: PublishProperties = {}): number {
  const { payloadFormatIndicator, messageExpiryInterval, contentType, userProperties } = properties;
  let bytes = payloadFormatIndicator === undefined ? 0 : 2;
  if (messageExpiryInterval !== undefined) bytes += 5;
  if (contentType !== undefined) bytes += 1 + textBytes(contentType);
  for (const name in userProperties) {
    bytes += 1 + textBytes(name) + textBytes(userProperties[name]!);
  }
  return bytes;
}

function textBytes(text: string): number {
  const bytes = Buffer.byteLength(text);
  return bytes > MAX_TEXT_BYTES ? Number.NaN : 2 + bytes;
}
