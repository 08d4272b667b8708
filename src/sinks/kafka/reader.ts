import { setTimeout as delay } from 'node:timers/promises';
import { fetchV13, listOffsetsV7, type RecordsBatch } from '@platformatic/kafka';
import type { SightlineError } from '../../common/errors.ts';
import { Cluster } from './cluster.ts';
import { type BrokerConnection, isAnswer } from './connection.ts';
import { clientError } from './errors.ts';
import { clusterSettings } from './settings.ts';
import type { KafkaSinkSpec } from './spec.ts';

const FETCH_WAIT_MS = 250;
const FETCH_BYTES = 4 * 1024 * 1024;
/** What asks for the first or the next offset: ListOffsets. */
const EARLIEST = -2n;
const LATEST = -1n;
/** Bit of a batch that holds marks of transactions and no records. */
const IS_CONTROL = 0x20;

export interface ReadMessage {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly timestampMs: number;
  readonly key: string;
  readonly value: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

export interface ReadOptions {
  readonly topics: readonly string[];
  readonly from: 'earliest' | 'latest';
  /** Ends the reading. */
  readonly signal: AbortSignal;
  /** Where relative paths of files start. */
  readonly baseDir: string;
}

interface Position {
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
  readonly leader: number;
  next: bigint;
}

/**
 * Reads topics of a sink's cluster without a group: nothing is committed, other consumers are not disturbed. Kafka 3.1
 * and newer.
 * @throws SightlineError one of `SL_SINK_*`
 */
export async function* readKafka(
  spec: KafkaSinkSpec,
  { topics, from, signal, baseDir }: ReadOptions,
): AsyncGenerator<ReadMessage> {
  const cluster = new Cluster(clusterSettings(spec, baseDir));
  try {
    const positions = await findPositions(cluster, topics, from, signal);
    const byLeader = new Map<number, Position[]>();
    for (const position of positions) {
      byLeader.set(position.leader, [...(byLeader.get(position.leader) ?? []), position]);
    }
    while (!signal.aborted) {
      for (const [leader, group] of byLeader) {
        const connection = await cluster.node(leader, signal);
        yield* await fetchMessages(connection, group, signal);
      }
      // Leaders take turns; one alone waits for messages itself.
      if (byLeader.size !== 1) await delay(FETCH_WAIT_MS, undefined, { signal });
    }
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
  } finally {
    cluster.close();
  }
}

async function findPositions(
  cluster: Cluster,
  names: readonly string[],
  from: ReadOptions['from'],
  signal: AbortSignal,
): Promise<Position[]> {
  const known = await cluster.topics(names, signal);
  const positions: Position[] = [];
  for (const [topic, facts] of known) {
    if ('code' in facts) throw facts as SightlineError;
    for (const [partition, leader] of facts.leaders.entries()) {
      if (leader === undefined) continue;
      const connection = await cluster.node(leader, signal);
      const timestamp = from === 'earliest' ? EARLIEST : LATEST;
      const next = await askOffset(connection, topic, { partition, timestamp }, signal);
      positions.push({ topic, topicId: facts.id, partition, leader, next });
    }
  }
  return positions;
}

async function askOffset(
  connection: BrokerConnection,
  name: string,
  { partition, timestamp }: { readonly partition: number; readonly timestamp: bigint },
  signal: AbortSignal,
): Promise<bigint> {
  const partitions = [{ partitionIndex: partition, currentLeaderEpoch: -1, timestamp }];
  try {
    const { topics } = await connection.call('ask the offsets of', signal, {
      ...{ key: 2, version: connection.pick(2, 'ListOffsets', [7]), isFlexible: true },
      request: () => listOffsetsV7.createRequest(-1, 0, [{ name, partitions }]),
      parse: listOffsetsV7.parseResponse,
    });
    return topics[0]?.partitions[0]?.offset ?? 0n;
  } catch (thrown) {
    throw clientError(thrown, `read Kafka topic ${name}`);
  }
}

async function fetchMessages(
  connection: BrokerConnection,
  positions: readonly Position[],
  signal: AbortSignal,
): Promise<ReadMessage[]> {
  const topics = positions.map(({ topicId, partition, next: fetchOffset }) => {
    const limits = { currentLeaderEpoch: -1, lastFetchedEpoch: -1, partitionMaxBytes: FETCH_BYTES };
    return { topicId, partitions: [{ partition, fetchOffset, ...limits }] };
  });
  try {
    const { responses } = await connection.call('read from', signal, {
      ...{ key: 1, version: connection.pick(1, 'Fetch', [13]), isFlexible: true },
      request: () =>
        fetchV13.createRequest(FETCH_WAIT_MS, 1, FETCH_BYTES, 0, 0, -1, topics, [], ''),
      parse: fetchV13.parseResponse,
    });
    return responses.flatMap(({ topicId, partitions }) =>
      partitions.flatMap(({ partitionIndex, records = [] }) => {
        const position = positions.find(
          (one) => one.topicId === topicId && one.partition === partitionIndex,
        );
        return position === undefined ? [] : records.flatMap((batch) => take(position, batch));
      }),
    );
  } catch (thrown) {
    throw isAnswer(thrown) ? clientError(thrown, 'read from Kafka') : thrown;
  }
}

/** The records of a batch that were not read yet. */
function take(position: Position, batch: RecordsBatch): ReadMessage[] {
  const found: ReadMessage[] = [];
  for (const record of batch.records) {
    const offset = batch.firstOffset + BigInt(record.offsetDelta);
    if (offset < position.next || (batch.attributes & IS_CONTROL) !== 0) continue;
    found.push({
      ...{ topic: position.topic, partition: position.partition, offset },
      timestampMs: Number(batch.firstTimestamp + record.timestampDelta),
      key: record.key?.toString() ?? '',
      value: record.value ?? Buffer.alloc(0),
      headers: Object.fromEntries(
        record.headers.map(([name, value]) => [String(name), String(value)]),
      ),
    });
  }
  position.next = batch.firstOffset + BigInt(batch.lastOffsetDelta) + 1n;
  return found;
}
