import { setTimeout as delay } from 'node:timers/promises';
import {
  ConfigResourceTypes,
  describeConfigsV2,
  describeConfigsV3,
  describeConfigsV4,
  initProducerIdV3,
  initProducerIdV4,
  initProducerIdV5,
  metadataV9,
  metadataV10,
  metadataV11,
  metadataV12,
  produceV7,
  produceV8,
  produceV9,
  produceV10,
  produceV11,
  Writer,
} from '@platformatic/kafka';
import { type BrokerConnection, isAnswer } from './connection.ts';
import { clientError } from './errors.ts';

// The requests a producer makes: the newest version of each that both sides know.

const METADATA = { 9: metadataV9, 10: metadataV10, 11: metadataV11, 12: metadataV12 } as const;
const INIT = { 3: initProducerIdV3, 4: initProducerIdV4, 5: initProducerIdV5 } as const;
const DESCRIBE = { 2: describeConfigsV2, 3: describeConfigsV3, 4: describeConfigsV4 } as const;
const PRODUCE = { 7: produceV7, 8: produceV8, 9: produceV9, 10: produceV10, 11: produceV11 };
type MetadataResponse = ReturnType<typeof metadataV12.parseResponse>;
export type ProduceResponse = ReturnType<typeof produceV11.parseResponse>;

/** The first versions with tagged fields. */
const FLEXIBLE_PRODUCE = 9;
const FLEXIBLE_DESCRIBE = 4;
const TRANSACTION_TIMEOUT_MS = 60_000;

/** What the cluster says of its brokers and of topics; a topic it does not know has an error code. */
export async function askMetadata(
  connection: BrokerConnection,
  topics: readonly string[],
  signal: AbortSignal,
): Promise<MetadataResponse> {
  const version = connection.pick(3, 'Metadata', [12, 11, 10, 9] as const);
  const { createRequest, parseResponse } = METADATA[version];
  try {
    return await connection.call('ask the topics of', signal, {
      ...{ key: 3, version, isFlexible: true },
      request: () => createRequest([...topics], false, false),
      parse: parseResponse,
    });
  } catch (thrown) {
    if (isAnswer<MetadataResponse>(thrown)) return thrown.response;
    throw thrown;
  }
}

/** `max.message.bytes` of a topic, undefined where it may not be read. */
export async function askMaxMessageBytes(
  connection: BrokerConnection,
  topic: string,
  signal: AbortSignal,
): Promise<number | undefined> {
  const version = connection.pick(32, 'DescribeConfigs', [4, 3, 2] as const);
  const { createRequest, parseResponse } = DESCRIBE[version];
  const resource = {
    resourceType: ConfigResourceTypes.TOPIC,
    resourceName: topic,
    configurationKeys: ['max.message.bytes'],
  };
  try {
    const { results } = await connection.call('ask the limits of', signal, {
      ...{ key: 32, version, isFlexible: version >= FLEXIBLE_DESCRIBE },
      request: () => createRequest([resource], false, false),
      parse: parseResponse,
    });
    const bytes = Number(results[0]?.configs[0]?.value);
    return bytes > 0 ? bytes : undefined;
  } catch (thrown) {
    if (isAnswer(thrown)) return undefined;
    throw thrown;
  }
}

export interface ProducerIdentity {
  readonly id: bigint;
  readonly epoch: number;
}

/** A new identity of an idempotent producer. @throws SightlineError one of `SL_SINK_*` */
export async function askProducerId(
  connection: BrokerConnection,
  signal: AbortSignal,
): Promise<ProducerIdentity> {
  const version = connection.pick(22, 'InitProducerId', [5, 4, 3] as const);
  const { createRequest, parseResponse } = INIT[version];
  const ask = () =>
    connection.call('become a producer at', signal, {
      ...{ key: 22, version, isFlexible: true },
      request: () => createRequest(null, TRANSACTION_TIMEOUT_MS, -1n, -1),
      parse: parseResponse,
    });
  for (let tries = 0; ; tries++) {
    try {
      const { producerId: id, producerEpoch: epoch } = await ask();
      return { id, epoch };
    } catch (thrown) {
      const error = clientError(thrown, 'become an idempotent producer of Kafka');
      // A cluster that has just started has no numbers to give for a moment.
      if (error.details['reason'] !== 'COORDINATOR_LOAD_IN_PROGRESS' || tries >= 10) throw error;
      await delay(100, undefined, { signal }).catch(() => undefined);
      signal.throwIfAborted();
    }
  }
}

export interface PartitionBatch {
  readonly topic: string;
  readonly partition: number;
  readonly bytes: Buffer;
}

/** Hands batches to the leader of their partitions, at most one a partition. Error codes stand in the answer. */
export async function produce(
  connection: BrokerConnection,
  { acks, timeoutMs }: { readonly acks: number; readonly timeoutMs: number },
  batches: readonly PartitionBatch[],
  signal: AbortSignal,
): Promise<ProduceResponse> {
  const version = connection.pick(0, 'Produce', [11, 10, 9, 8, 7] as const);
  const isFlexible = version >= FLEXIBLE_PRODUCE;
  const byTopic = new Map<string, PartitionBatch[]>();
  for (const batch of batches) {
    const others = byTopic.get(batch.topic);
    if (others === undefined) byTopic.set(batch.topic, [batch]);
    else others.push(batch);
  }
  const request = (): Writer => {
    const writer = Writer.create()
      .appendString(null, isFlexible)
      .appendInt16(acks)
      .appendInt32(timeoutMs)
      .appendArray(
        [...byTopic],
        (w, [topic, parts]) => {
          w.appendString(topic, isFlexible).appendArray(
            parts,
            (inner, { partition, bytes }) =>
              inner.appendInt32(partition).appendBytes(bytes, isFlexible),
            isFlexible,
            isFlexible,
          );
        },
        isFlexible,
        isFlexible,
      );
    return isFlexible ? writer.appendTaggedFields() : writer;
  };
  const parse = PRODUCE[version].parseResponse;
  try {
    return await connection.call('write to', signal, {
      ...{ key: 0, version, isFlexible, request, parse },
    });
  } catch (thrown) {
    if (isAnswer<ProduceResponse>(thrown)) return thrown.response;
    throw thrown;
  }
}
