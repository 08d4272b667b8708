import { setTimeout as delay } from 'node:timers/promises';
import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  ListShardsCommand,
} from '@aws-sdk/client-kinesis';
import { toSightlineError } from '../../common/errors.ts';
import { decodeMessage } from '../../consumer/index.ts';
import { awsClientConfig, awsError } from '../../sinks/aws/client.ts';
import type { KinesisSinkSpec } from '../../sinks/kinesis/spec.ts';
import type { Reader, ReadOptions } from './tail.ts';

/** A shard gives five reads a second to all its readers together: one of them is left to the others' use. */
const POLL_MS = 1000;
const READ_RECORDS = 1000;

/** Reads every shard from its end. Shards that come later, by a split or merge, are not followed. */
export async function* followKinesis(spec: KinesisSinkSpec, options: ReadOptions): Reader {
  const { signal, tell } = options;
  const client = new KinesisClient(awsClientConfig(spec, 4));
  try {
    const iterators = await latestIterators(client, spec.stream, signal);
    tell(`Reading ${iterators.size} shards of ${spec.stream} from their ends`);
    while (!signal.aborted && iterators.size > 0) {
      for (const [shard, ShardIterator] of iterators) {
        const command = new GetRecordsCommand({ ShardIterator, Limit: READ_RECORDS });
        const answer = await client.send(command, { abortSignal: signal });
        for (const { Data = new Uint8Array(), SequenceNumber } of answer.Records ?? []) {
          try {
            yield decodeMessage(Data);
          } catch (error) {
            tell(`${shard}/${SequenceNumber}: ${toSightlineError(error).message}`);
          }
        }
        if (answer.NextShardIterator === undefined) {
          tell(`${shard} was closed: start again to follow the shards that took its place`);
          iterators.delete(shard);
        } else iterators.set(shard, answer.NextShardIterator);
      }
      await delay(POLL_MS, undefined, { signal }).catch(() => undefined);
    }
  } catch (thrown) {
    if (!signal.aborted) throw awsError(thrown, `read Kinesis stream ${spec.stream}`);
  } finally {
    client.destroy();
  }
}

async function latestIterators(
  client: KinesisClient,
  stream: string,
  abortSignal: AbortSignal,
): Promise<Map<string, string>> {
  const target = stream.startsWith('arn:') ? { StreamARN: stream } : { StreamName: stream };
  const iterators = new Map<string, string>();
  let NextToken: string | undefined;
  do {
    // A page after the first is asked for by its token alone.
    const command = new ListShardsCommand(NextToken === undefined ? target : { NextToken });
    const { Shards = [], NextToken: next } = await client.send(command, { abortSignal });
    for (const { ShardId, SequenceNumberRange } of Shards) {
      if (SequenceNumberRange?.EndingSequenceNumber !== undefined) continue;
      const { ShardIterator } = await client.send(
        new GetShardIteratorCommand({ ...target, ShardId, ShardIteratorType: 'LATEST' }),
        { abortSignal },
      );
      if (ShardId !== undefined && ShardIterator !== undefined)
        iterators.set(ShardId, ShardIterator);
    }
    NextToken = next;
  } while (NextToken !== undefined);
  return iterators;
}
