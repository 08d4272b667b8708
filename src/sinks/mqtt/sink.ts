import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { IClientOptions, IClientPublishOptions } from 'mqtt';
import type { DeliveryResult, PendingRecord, RecordKind, Sink } from '../../common/delivery.ts';
import { SightlineError, toSightlineError } from '../../common/errors.ts';
import { redactUrl } from '../../common/redact-url.ts';
import { Secret } from '../../common/secret.ts';
import { encode, SCHEMA_VERSION } from '../format/encode.ts';
import { TopicTemplate } from '../format/template.ts';
import { eachLimited } from '../limited.ts';
import { MqttConnection } from './connection.ts';
import type { MqttSinkSpec } from './spec.ts';

/** Fixed header, topic length, packet id and the lengths of properties: a safe upper bound. */
const PACKET_OVERHEAD_BYTES = 128;
const KEEP_ALIVE_S = 30;

/** Publishes each record with QoS 1 and takes the broker's acknowledgement for the delivery. */
export class MqttSink implements Sink {
  readonly id: string;
  readonly type = 'mqtt';
  readonly kinds: readonly RecordKind[];
  readonly limits;
  readonly #spec: MqttSinkSpec;
  readonly #baseDir: string;
  readonly #password: Secret | undefined;
  readonly #topic: TopicTemplate;
  #connection: MqttConnection | undefined;

  /**
   * @param baseDir where relative paths of the TLS files start
   * @throws SightlineError `SL_CONFIG_INVALID` for a topic that cannot be published to
   */
  constructor(spec: MqttSinkSpec, baseDir: string) {
    this.id = spec.id;
    this.kinds = spec.kinds;
    this.#spec = spec;
    this.#baseDir = baseDir;
    this.#password = spec.password === undefined ? undefined : new Secret(spec.password);
    this.#topic = new TopicTemplate(spec.topic);
    this.limits = { maxRecords: 500, maxBytes: 4 * 1024 * 1024, maxWaitMs: 20 };
  }

  async deliver(
    batch: readonly PendingRecord[],
    { signal }: { signal: AbortSignal },
  ): Promise<readonly DeliveryResult[]> {
    const connection = await this.#connected(signal);
    const results = new Array<DeliveryResult>(batch.length);
    const cut = (): void => connection.abandon();
    signal.addEventListener('abort', cut, { once: true });
    await eachLimited(batch, this.#spec.maxInFlight, async (record, index) => {
      results[index] = await this.#publish(connection, record);
    });
    signal.removeEventListener('abort', cut);
    if (connection.isLost) connection.abandon();
    return results;
  }

  async close(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    await connection?.close();
  }

  async #connected(signal: AbortSignal): Promise<MqttConnection> {
    if (this.#connection !== undefined && !this.#connection.isLost) return this.#connection;
    this.#connection = undefined;
    const what = `MQTT broker ${redactUrl(this.#spec.url)}`;
    const options = await this.#options();
    this.#connection = await MqttConnection.open(this.#spec.url, options, what, signal);
    return this.#connection;
  }

  async #publish(connection: MqttConnection, record: PendingRecord): Promise<DeliveryResult> {
    try {
      const topic = this.#topic.fill(record);
      const { contentType, bytes } = encode(record, this.#spec.format);
      const options = this.#publishOptions(record, contentType);
      const size = bytes.byteLength + headerBytes(topic, options);
      if (size > connection.maxPacketBytes) {
        throw new SightlineError(
          'SL_SINK_REJECTED',
          `Cannot publish ${record.recordId}: about ${size} bytes are above the ${connection.maxPacketBytes} the broker takes`,
        );
      }
      await connection.publish(topic, bytes, options);
      return { status: 'accepted' };
    } catch (thrown) {
      const error = toSightlineError(thrown);
      return { status: error.code === 'SL_SINK_REJECTED' ? 'rejected' : 'retry', error };
    }
  }

  #publishOptions(record: PendingRecord, contentType: string): IClientPublishOptions {
    if (this.#spec.protocolVersion === 4) return { qos: 1 };
    const { recordId, streamId, kind } = record;
    return {
      qos: 1,
      properties: {
        contentType,
        userProperties: { recordId, streamId, kind, schemaVersion: SCHEMA_VERSION },
      },
    };
  }

  async #options(): Promise<IClientOptions> {
    const { protocolVersion, connectTimeoutMs, clientId, username, tls } = this.#spec;
    return {
      protocolVersion,
      connectTimeout: connectTimeoutMs,
      keepalive: KEEP_ALIVE_S,
      clean: true,
      ...(clientId === undefined ? {} : { clientId }),
      ...(username === undefined ? {} : { username }),
      ...(this.#password === undefined ? {} : { password: this.#password.reveal() }),
      ...(tls === undefined ? {} : await this.#tlsOptions(tls)),
    };
  }

  async #tlsOptions(tls: NonNullable<MqttSinkSpec['tls']>): Promise<IClientOptions> {
    const { caFile, certFile, keyFile, rejectUnauthorized } = tls;
    const [ca, cert, key] = await Promise.all(
      [caFile, certFile, keyFile].map((f) => this.#read(f)),
    );
    return {
      rejectUnauthorized,
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    };
  }

  async #read(file: string | undefined): Promise<Buffer | undefined> {
    if (file === undefined) return undefined;
    const path = resolve(this.#baseDir, file);
    try {
      return await readFile(path);
    } catch (cause) {
      const message = `Cannot read the TLS file ${path} of sink ${this.id}`;
      throw new SightlineError('SL_SINK_UNAVAILABLE', message, { cause });
    }
  }
}

function headerBytes(topic: string, { properties }: IClientPublishOptions): number {
  let bytes = PACKET_OVERHEAD_BYTES + Buffer.byteLength(topic);
  bytes += Buffer.byteLength(properties?.contentType ?? '');
  for (const [name, value] of Object.entries(properties?.userProperties ?? {})) {
    bytes += 5 + name.length + Buffer.byteLength(String(value));
  }
  return bytes;
}
