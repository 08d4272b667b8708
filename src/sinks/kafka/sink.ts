import { compressionsAlgorithms } from '@platformatic/kafka';
import type { DeliveryResult, PendingRecord, RecordKind, Sink } from '../../common/delivery.ts';
import { SightlineError } from '../../common/errors.ts';
import { Fates } from '../fates.ts';
import { cloudEventHeaders } from '../format/cloud-events.ts';
import { Formatter, type Message } from '../format/formatter.ts';
import { Template } from '../format/template.ts';
import { Cluster } from './cluster.ts';
import type { Outgoing } from './lane.ts';
import { Producer } from './producer.ts';
import { encodeBody } from './record-batch.ts';
import { clusterSettings } from './settings.ts';
import type { KafkaSinkSpec } from './spec.ts';

const MAX_TOPIC_BYTES = 249;
const MAX_KEY_BYTES = 4096;
const LEADER_SHARE = 0.8;

/** Writes to topics of Kafka; what is delivered was acknowledged by the leader, with `acks: all` by every in-sync replica. */
export class KafkaSink implements Sink {
  readonly id: string;
  readonly type = 'kafka';
  readonly kinds: readonly RecordKind[];
  readonly limits = { maxRecords: 1000, maxBytes: 4 * 1024 * 1024, maxWaitMs: 20 };
  readonly #formatter: Formatter;
  readonly #topic: Template;
  readonly #key: Template;
  readonly #cluster: Cluster;
  readonly #producer: Producer;

  /**
   * @param baseDir where relative paths of files start
   * @throws SightlineError `SL_CONFIG_INVALID` for what the schema cannot see
   */
  constructor(spec: KafkaSinkSpec, baseDir: string) {
    check(spec);
    this.id = spec.id;
    this.kinds = spec.kinds;
    this.#formatter = new Formatter(spec, { headers: true });
    this.#topic = new Template(spec.topic, {
      what: 'the topic',
      escape: (value) => value.replace(/[^A-Za-z0-9._-]/g, '_'),
      maxBytes: MAX_TOPIC_BYTES,
    });
    this.#key = new Template(spec.key, { what: 'the key', maxBytes: MAX_KEY_BYTES });
    this.#cluster = new Cluster(clusterSettings(spec, baseDir));
    const { idempotent: isIdempotent, acks, compression, requestTimeoutMs } = spec;
    // The leader's wait for its replicas ends before ours for the leader, so that its answer says what is wrong.
    const timeoutMs = Math.ceil(requestTimeoutMs * LEADER_SHARE);
    this.#producer = new Producer(this.#cluster, { isIdempotent, acks, compression, timeoutMs });
  }

  async deliver(
    batch: readonly PendingRecord[],
    { signal }: { signal: AbortSignal },
  ): Promise<readonly DeliveryResult[]> {
    signal.throwIfAborted();
    const formatted = await this.#formatter.formatInTurns(batch);
    signal.throwIfAborted();
    const fates = new Fates(batch.length, formatted);
    const outgoing = formatted.messages.flatMap((message) => this.#outgoing(message, fates));
    if (outgoing.length > 0) await this.#producer.send(outgoing, fates, signal);
    return fates.results();
  }

  close(): Promise<void> {
    this.#cluster.close();
    return Promise.resolve();
  }

  #outgoing(message: Message, fates: Fates): Outgoing[] {
    try {
      const key = this.#key.fill(message);
      const body = encodeBody(Buffer.from(key), message.body, headersOf(message));
      const record = { timestampMs: message.atMs, body };
      return [{ message, topic: this.#topic.fill(message), key, record }];
    } catch (thrown) {
      fates.fail(message, thrown);
      return [];
    }
  }
}

/** CloudEvents in binary mode have theirs beside ours; `content-type` is the name of its Kafka binding (3.2.1). */
function headersOf(message: Message): (readonly [string, string])[] {
  const { contentType, attributes, cloudEvent } = message;
  const own = Object.entries(attributes);
  if (cloudEvent === undefined) return [['contentType', contentType], ...own];
  const theirs = Object.entries(cloudEventHeaders(message, 'kafka'));
  return [['contentType', contentType], ['content-type', contentType], ...own, ...theirs];
}

function check({ id, idempotent, acks, compression, sasl }: KafkaSinkSpec): void {
  const fail = (why: string): never => {
    throw new SightlineError('SL_CONFIG_INVALID', `Cannot use sink ${id}: ${why}`);
  };
  if (idempotent && acks !== 'all') fail('idempotent: true needs acks: all');
  if (compression !== 'none' && !compressionsAlgorithms[compression].available) {
    fail(`compression ${compression} needs a newer Node than ${process.version}`);
  }
  if (sasl !== undefined && (sasl.password === undefined) === (sasl.passwordFile === undefined)) {
    fail('sasl needs either password or passwordFile');
  }
}
