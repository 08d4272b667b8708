import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { AthenaClient, GetWorkGroupCommand, ListNamedQueriesCommand } from '@aws-sdk/client-athena';
import { GetBucketLifecycleConfigurationCommand } from '@aws-sdk/client-s3';
import { ROOT } from '../../src/common/paths.ts';
import { readHcl } from '../../test/deploy/hcl.ts';
import { HclValues } from '../../test/deploy/hcl-values.ts';
import { frameRecord, imageRecord, imageRef } from '../../test/sinks/samples.ts';
import { Moto, noMoto } from '../../test/support/moto.ts';
import { temporaryFolder } from '../../test/support/server.ts';
import { until } from '../../test/support/wait.ts';
import { startAnyHostProxy } from './any-host.ts';
import { Services } from './services.ts';
import { type Outputs, Tofu } from './tofu.ts';
import { Users } from './users.ts';

const { AWS_PROVIDER } = (await import(join(ROOT, 'scripts/go-tools/aws-provider.mjs'))) as {
  AWS_PROVIDER: { providerVersion: string };
};

/** As somebody would apply it who has an image, and a network with this subnet. */
function withServices(subnet: string): string[] {
  const secret = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:c';
  return [
    '-var=image=registry.example/sightline:1.2.3',
    `-var=subnet_ids=["${subnet}"]`,
    '-var=gpus={control=1}',
    '-var=images={control="registry.example/sightline-deepstream:1.2.3"}',
    '-var=configs={receive="dataDir: /app/data\\n"}',
    `-var=secrets={receive={CAMERA_PASSWORD="${secret}"}}`,
  ];
}

/** One of the network that moto has from the start. */
async function someSubnet(endpoint: string): Promise<string> {
  const answer = await fetch(endpoint, {
    method: 'POST',
    body: new URLSearchParams({ Action: 'DescribeSubnets', Version: '2016-11-15' }),
    headers: {
      authorization: 'AWS4-HMAC-SHA256 Credential=reader/20260101/us-east-1/ec2/aws4_request',
    },
  });
  const [, id] = /<subnetId>(subnet-[0-9a-f]+)</.exec(await answer.text()) ?? [];
  assert.ok(id, 'moto has no subnet');
  return id;
}

interface Change {
  readonly actions: readonly string[];
  readonly before: Readonly<Record<string, unknown>> | null;
  readonly after: Readonly<Record<string, unknown>> | null;
}

/** Whether texts of JSON are all that differs, and only by how they are written: moto writes them anew. */
function isSame({ before, after }: Change): boolean {
  return isDeepStrictEqual(plain(before), plain(after));
}

function plain(values: Change['before']): unknown[] {
  const parsed = (text: unknown) =>
    typeof text === 'string' && text.startsWith('{') ? (JSON.parse(text) as unknown) : text;
  return Object.entries(values ?? {}).map(([name, value]) => [name, parsed(value)]);
}

interface State {
  readonly values: {
    readonly root_module: {
      readonly resources: readonly { readonly address: string; readonly values: object }[];
    };
  };
}

/** Of what was made, the attributes that are expected: the provider knows more. */
function partOf(found: unknown, expected: unknown): unknown {
  if (Array.isArray(found) && Array.isArray(expected)) {
    return found.map((each, at) => partOf(each, expected[at]));
  }
  if (typeof found !== 'object' || found === null) return found;
  const known = Object.entries(found).filter(([name]) => name in ((expected ?? {}) as object));
  return Object.fromEntries(
    known.map(([name, value]) => [
      name,
      partOf(value, (expected as Record<string, unknown>)[name]),
    ]),
  );
}

/** moto forgets tags and constraints that come with the making of these, and takes them afterwards. */
const FORGOTTEN_BY_MOTO = [
  'aws_ecs_service.this["control"]',
  'aws_ecs_service.this["infer"]',
  'aws_ecs_service.this["react"]',
  'aws_ecs_service.this["receive"]',
  'aws_kinesis_stream.records',
  'aws_s3_bucket.this["inference"]',
  'aws_s3_bucket.this["queries"]',
  'aws_s3_bucket.this["raw"]',
];

describe('deploy/terraform against moto', { skip: noMoto }, () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let moto: Moto;
  let proxy: Awaited<ReturnType<typeof startAnyHostProxy>>;
  let tofu: Tofu;
  let made: Outputs;
  let users: Users;
  let variables: string[];
  let services: string[];

  before(async () => {
    [folder, moto] = await Promise.all([temporaryFolder(), Moto.start()]);
    proxy = await startAnyHostProxy(moto.port);
    tofu = new Tofu(folder.path, AWS_PROVIDER.providerVersion, proxy.url);
    const { endpoint } = moto.client;
    variables = [`-var=endpoints={default="${endpoint}"}`, '-var=deletion_protection=false'];
    services = withServices(await someSubnet(endpoint));
    users = new Users(moto, folder.path);
    await tofu.run('init', '-input=false');
  });
  after(async () => {
    users?.close();
    await proxy?.[Symbol.asyncDispose]();
    await moto?.close();
    await folder?.[Symbol.asyncDispose]();
  });

  const apply = (...more: string[]) =>
    tofu.run('apply', '-input=false', '-auto-approve', ...variables, ...more);

  /** What another apply would do, as `action address`. */
  async function due(): Promise<string[]> {
    await tofu.run('plan', '-input=false', '-out=again', ...variables, ...services);
    const { resource_changes: changes } = JSON.parse(await tofu.run('show', '-json', 'again')) as {
      resource_changes: { address: string; change: Change }[];
    };
    return changes
      .filter(({ change }) => change.actions.join() !== 'no-op' && !isSame(change))
      .map(({ address, change }) => `${change.actions.join()} ${address}`)
      .sort();
  }

  it('is formatted and valid', async () => {
    await tofu.run('fmt', '-check', '-diff');
    await tofu.run('validate');
  });

  it('is applied', async () => {
    await apply(...services);
    made = await tofu.outputs();
    assert.equal(made.buckets.raw, 'raw-data');
    assert.match(made.queues.frames, /\/raw-frame-queue$/);
    assert.deepEqual(Object.keys(made.roles).sort(), ['control', 'infer', 'react', 'receive']);
    assert.equal(Object.keys(made.task_definitions).length, 4);
  });

  it('has nothing to change once it is applied', async () => {
    assert.deepEqual(
      await due(),
      FORGOTTEN_BY_MOTO.map((address) => `update ${address}`),
    );
    await apply(...services);
    assert.deepEqual(await due(), []);
  });

  it('makes the tables and queries that `npm run check:athena` takes from the same files', async () => {
    const state = JSON.parse(await tofu.run('show', '-json')) as State;
    const made = new Map(state.values.root_module.resources.map((each) => [each.address, each]));
    const values = new HclValues(await readHcl());
    for (const [type, name] of [
      ['aws_glue_catalog_table', 'rows'],
      ['aws_athena_named_query', 'this'],
    ] as const) {
      for (const [key, expected] of Object.entries(await values.resources(type, name))) {
        const found = made.get(`${type}.${name}["${key}"]`)?.values;
        assert.deepEqual(partOf(found, expected), expected, key);
      }
    }
  });

  it('gives up unfinished uploads', async () => {
    for (const Bucket of Object.values(made.buckets)) {
      const command = new GetBucketLifecycleConfigurationCommand({ Bucket });
      const { Rules = [] } = await users.s3.send(command);
      assert.ok(
        Rules.some((rule) => rule.AbortIncompleteMultipartUpload !== undefined),
        Bucket,
      );
    }
  });

  it('takes pictures and recordings', async () => {
    const bucket = made.buckets.raw;
    await users.deliver({ type: 's3', bucket, prefix: 'images/' }, [imageRecord(1)]);
    assert.equal((await users.read(bucket, `images/${imageRef(1)}`)).byteLength, 20_000);
    await users.record({ bucket, prefix: 'raw/' });
    assert.equal((await users.read(bucket, 'raw/cam-1/2026/01/31/13/a.mp4')).byteLength, 1000);
  });

  it('carries queued pictures by claim check, and results as they are', async () => {
    const bucket = made.buckets.raw;
    const frames = { type: 'sqs', queue: made.queues.frames, kinds: ['image'] };
    const claimCheck = { bucket, prefix: 'claims/' };
    await users.deliver({ ...frames, claimCheck }, [imageRecord(2), imageRecord(3)]);
    const pictures = await users.take(made.queues.frames, 2);
    assert.deepEqual(pictures.map(({ recordId }) => recordId).sort(), [
      imageRecord(2).recordId,
      imageRecord(3).recordId,
    ]);
    const results = { type: 'sqs', queue: 'detection-queue' };
    await users.deliver(results, [frameRecord(4)]);
    const [frame] = await users.take(made.queues.detections, 1);
    assert.equal(frame?.recordId, frameRecord(4).recordId);
  });

  it('buries what was received too often', async () => {
    const { frames } = made.queues;
    assert.equal(await users.deadLetterQueueOf(frames), made.dead_letter_queues.frames);
  });

  it('takes rows, which arrive in the bucket under the prefix of their table', async () => {
    const deliveryStream = made.delivery_streams.detections;
    await users.deliver({ type: 'firehose', deliveryStream }, [frameRecord(1)]);
    const [key, ...more] = await users.keys(made.buckets.inference);
    assert.deepEqual(more, []);
    assert.match(key!, /^detections\//);
    const [row] = (await users.read(made.buckets.inference, key!)).toString().split('\n');
    assert.equal((JSON.parse(row!) as { record_id: string }).record_id, frameRecord(1).recordId);
  });

  it('takes records into the stream', async () => {
    const stream = made.record_stream;
    await users.deliver({ type: 'kinesis', stream }, [frameRecord(3)]);
    assert.equal(await users.countStream(stream), 1);
  });

  it('keeps events and the fleet', async () => {
    await users.keepEvents(made.tables.events);
    await users.shareStreams(made.tables.fleet);
  });

  it('has a workgroup with a limit and the saved queries', async () => {
    const athena = new AthenaClient(moto.client);
    const { workgroup: WorkGroup } = made.athena;
    const found = await athena.send(new GetWorkGroupCommand({ WorkGroup }));
    assert.ok(found.WorkGroup?.Configuration?.BytesScannedCutoffPerQuery);
    const { NamedQueryIds = [] } = await athena.send(new ListNamedQueriesCommand({ WorkGroup }));
    assert.ok(NamedQueryIds.length >= 5);
    athena.destroy();
  });

  it('carries the services of deploy/compose from cameras to events', async () => {
    await using services = await Services.start(folder.path, moto.client.endpoint);
    const has = async (bucket: string, prefix: string) =>
      (await users.keys(bucket)).some((key) => key.startsWith(prefix));
    const { raw, inference } = made.buckets;
    await until('a segment is stored', 60_000, () => has(raw, 'raw/cam1/'));
    await until('a picture is queued', 60_000, () => has(raw, 'claims/cam1/'));
    await until('its frames have rows', 60_000, () => has(inference, 'frames/'));
    await until('its file has one', 60_000, () => has(inference, 'segments/'));
    const seen = async () => (await services.countEvents('somebody')) > 0;
    await until('somebody was seen', 60_000, seen);
  });

  it('is applied without services, too, and removed', async () => {
    await apply();
    assert.deepEqual((await tofu.outputs()).task_definitions, {});
    // moto has no way to delete them; they go with the workgroup.
    const queries = (await tofu.run('state', 'list', 'aws_athena_named_query.this')).trim();
    await tofu.run('state', 'rm', ...queries.split('\n'));
    await tofu.run('destroy', '-input=false', '-auto-approve', ...variables);
    assert.deepEqual(await tofu.outputs(), {});
  });
});
