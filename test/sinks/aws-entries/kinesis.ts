import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import {
  CreateStreamCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
} from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { SightlineError } from '../../../src/common/errors.ts';
import { decodeMessage } from '../../../src/consumer/decode.ts';
import { decodeSegment } from '../../../src/metadata/segment.ts';
import { followKinesis } from '../../../src/services/tail/kinesis.ts';
import { KinesisSink } from '../../../src/sinks/kinesis/sink.ts';
import type { KinesisSinkSpec } from '../../../src/sinks/kinesis/spec.ts';
import { until } from '../../support/wait.ts';
import { jsonError } from '../aws-limits/entries.ts';
import type { AwsProxy } from '../aws-proxy.ts';
import { profileKeys } from '../profile-keys.ts';
import {
  errorCode,
  frameRecord,
  NO_LIMIT,
  segmentRecord,
  statuses,
  withPayload,
} from '../samples.ts';
import { deliverAll, type EntriesWorld, settled } from './world.ts';

/** A stream of Kinesis, a sink for it, and what was put into it. */
export async function kinesis(
  world: EntriesWorld,
  context: TestContext,
  proxy: AwsProxy,
  spec: Partial<KinesisSinkSpec> = {},
  address: Pick<KinesisSinkSpec, 'endpoint' | 'region' | 'credentials'> = proxy.client,
) {
  const stream = `frames-${world.next()}`;
  const client = new KinesisClient({ ...world.client, requestHandler: new NodeHttpHandler() });
  context.after(() => client.destroy());
  await client.send(new CreateStreamCommand({ StreamName: stream, ShardCount: 1 }));
  const sink = new KinesisSink({
    ...{ id: 'kinesis', type: 'kinesis', required: true, stream, format: 'protobuf' },
    ...{ partitionKey: '{streamId}', ordering: 'relaxed', kinds: ['frame', 'event'] },
    ...address,
    ...spec,
  });
  context.after(() => sink.close());
  const records = async () => {
    const of = { StreamName: stream, ShardId: 'shardId-000000000000' };
    const start = new GetShardIteratorCommand({ ...of, ShardIteratorType: 'TRIM_HORIZON' });
    const { ShardIterator } = await client.send(start);
    const { Records = [] } = await client.send(new GetRecordsCommand({ ShardIterator }));
    return Records;
  };
  const raw = async () => (await records()).map(({ Data }) => Data!);
  const read = async () =>
    (await records()).map(({ Data, PartitionKey }) => {
      return { key: PartitionKey, id: decodeMessage(Data!)[0]!.recordId };
    });
  return { sink, read, raw, stream };
}

export function kinesisTests(world: EntriesWorld): void {
  it('kinesis: sends again what failed alone, gives up what is too big or damaged', async (context) => {
    const { proxy, kinesis: limits } = await world.proxied(context);
    const { sink, read } = await kinesis(world, context, proxy, { format: 'json' });
    let failures = 3;
    limits.failing = (text) =>
      text.includes('cam-1/s1/7"') && failures-- > 0
        ? 'ProvisionedThroughputExceededException'
        : undefined;
    const batch = Array.from({ length: 600 }, (_, seq) => frameRecord(seq, { objects: 1 }));
    const big = frameRecord(600, { objects: 8000 });
    const damaged = withPayload(frameRecord(601), Buffer.from([0x0a, 0xff]));
    const delivery = await deliverAll(context, sink, [...batch, big, damaged]);
    const { delivered, deadLettered } = await settled(delivery);
    assert.deepEqual([delivered, deadLettered], [600, 2]);
    const stored = await read();
    assert.equal(stored.length, 600, 'nothing twice');
    assert.deepEqual(new Set(stored.map(({ id }) => id)), new Set(batch.map((r) => r.recordId)));
    assert.deepEqual(new Set(stored.map(({ key }) => key)), new Set(['cam-1']));
  });

  it('kinesis: tail shows what comes from now on', async (context) => {
    const { proxy } = await world.proxied(context);
    const { sink, stream } = await kinesis(world, context, proxy);
    await sink.deliver([frameRecord(1)], NO_LIMIT);
    const signal = AbortSignal.timeout(20_000);
    let begin = (): void => undefined;
    const reads = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const options = { baseDir: '.', stream: undefined, peekVisibilityS: undefined, signal };
    const address = { stream, ...world.client } as unknown as KinesisSinkSpec;
    const records = followKinesis(address, { ...options, tell: () => begin() });
    const first = records[Symbol.asyncIterator]().next();
    await reads;
    await sink.deliver([frameRecord(2)], NO_LIMIT);
    assert.equal((await first).value?.[0]?.recordId, 'cam-1/s1/2');
  });

  it('kinesis: with ordering strict a failed record is never overtaken', async (context) => {
    const { proxy, kinesis: limits } = await world.proxied(context);
    const { sink, read } = await kinesis(world, context, proxy, { ordering: 'strict' });
    let failures = 4;
    limits.failing = (text) =>
      /cam-2\/s1\/[36]/.test(text) && failures-- > 0 ? 'InternalFailure' : undefined;
    const batch = Array.from({ length: 24 }, (_, seq) =>
      frameRecord(seq, { streamId: `cam-${seq % 3}` }),
    );
    await settled(await deliverAll(context, sink, batch));
    const stored = await read();
    for (const camera of ['cam-0', 'cam-1', 'cam-2']) {
      const expected = batch.filter((r) => r.streamId === camera).map((r) => r.recordId);
      assert.deepEqual(
        stored.filter(({ key }) => key === camera).map(({ id }) => id),
        expected,
      );
    }
  });

  it('kinesis: tells throttling, silence after acceptance and an unknown stream apart', async (context) => {
    const { proxy } = await world.proxied(context);
    const { sink } = await kinesis(world, context, proxy);
    proxy.rule = () => jsonError('LimitExceededException', 429, { 'retry-after': '1' });
    const [throttled] = await sink.deliver([frameRecord(1)], NO_LIMIT);
    assert.equal(errorCode(throttled), 'SL_SINK_THROTTLED');
    const { details } = (throttled as unknown as { error: SightlineError }).error;
    assert.equal(details?.['retryAfterMs'], 1000);
    const cut = new AbortController();
    proxy.rule = () => {
      queueMicrotask(() => cut.abort(new Error('attempt over')));
      return 'accept';
    };
    const [silent] = await sink.deliver([frameRecord(2)], { signal: cut.signal });
    assert.equal(silent?.status, 'retry');
    proxy.rule = () => jsonError('ResourceNotFoundException');
    const [absent] = await sink.deliver([frameRecord(3)], NO_LIMIT);
    assert.equal(errorCode(absent), 'SL_SINK_UNAVAILABLE');
  });

  it('kinesis: takes up keys that were changed in the file of the profile', async (context) => {
    const { proxy } = await world.proxied(context);
    const keys = profileKeys(context);
    keys.write('WRONG');
    proxy.rule = ({ headers }) =>
      headers.authorization?.includes('Credential=WRONG/') === true
        ? jsonError('UnrecognizedClientException')
        : undefined;
    const { sink, read } = await kinesis(
      world,
      context,
      proxy,
      {},
      { endpoint: proxy.endpoint, region: 'us-east-1' },
    );
    const delivery = await deliverAll(context, sink, [frameRecord(1), frameRecord(2)]);
    await until('the keys are refused', 10_000, () => delivery.stats().lastError !== undefined);
    assert.equal(delivery.stats().lastError?.code, 'SL_SINK_UNAUTHORIZED');
    keys.write('RIGHT');
    assert.equal((await settled(delivery)).delivered, 2);
    assert.equal((await read()).length, 2);
  });

  it('kinesis: a segment above the limit of a record goes as several messages', async (context) => {
    const { proxy } = await world.proxied(context);
    const { sink, raw } = await kinesis(world, context, proxy, { kinds: ['segment'] });
    const results = await sink.deliver([segmentRecord({ frames: 25_000 })], NO_LIMIT);
    assert.deepEqual(statuses(results), ['accepted']);
    const parts = (await raw()).map((data) => decodeSegment(data));
    assert.ok(parts.length > 1);
    assert.equal(
      parts.reduce((sum, { frames }) => sum + frames.length, 0),
      25_000,
    );
  });
}
