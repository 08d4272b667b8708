import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { ROOT } from '../../src/common/paths.ts';
import { type Block, type Hcl, readHcl } from './hcl.ts';

const OBJECTS = ['sinks/aws/object-store.ts', 'sinks/aws/multipart.ts'];
const SEND = ['sinks/sqs/queue.ts'];
const ROWS = ['sinks/firehose/sink.ts'];
const RECORDS = ['sinks/kinesis/sink.ts'];
const EVENTS = ['stores/dynamodb-events.ts'];
const FLEET = ['fleet/stores/dynamodb.ts'];
const CLAIMS = ['consumer/claim-check.ts'];
const TAKE = ['consumer/sqs.ts', 'services/rules/inputs/sqs.ts'];
const FRAMES = 'inference/sqs/message-client.ts';

/** Modules whose calls a permission is for. Of those without any, `WITHOUT_CALLS` says why they are there. */
const USES: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  receive: {
    objects: OBJECTS,
    queue: SEND,
    frames: ROWS,
    segments: ROWS,
    records: RECORDS,
    fleet: FLEET,
  },
  infer: {
    queue: [
      `${FRAMES}#ReceiveMessage,DeleteMessageBatch,ChangeMessageVisibilityBatch`,
      `${FRAMES}#GetQueueAttributes,GetQueueUrl`,
    ],
    dead_letters: [`${FRAMES}#SendMessage,GetQueueUrl`],
    claims: [...CLAIMS, ...OBJECTS],
    ...{ detections: ROWS, records: RECORDS, results: SEND },
  },
  react: {
    ...{ queue: TAKE, claims: CLAIMS, events: EVENTS, records: RECORDS },
  },
  control: {
    ...{
      objects: OBJECTS,
      detections: ROWS,
      frames: ROWS,
      segments: ROWS,
      records: RECORDS,
      results: SEND,
    },
    ...{ events: EVENTS, fleet: FLEET, athena: ['query/athena.ts'] },
  },
};

/** Whether an object that is missing is told as such, and what Athena does in the caller's name. */
const WITHOUT_CALLS = /^(?:missing|athena_\w+)$/;

/** Modules that call AWS for something that no service of deploy/terraform does. */
const ELSEWHERE = [
  'services/demo-aws.ts',
  'services/tail/kinesis.ts',
  'services/tail/sqs.ts',
  'sinks/eventbridge/sink.ts',
  // Terraform makes the table.
  'fleet/stores/dynamodb-table.ts',
];

/** Actions of IAM that are not named as the call. A transaction of puts needs the right to put. */
const ACTIONS: Readonly<Record<string, string>> = {
  's3:HeadObject': 's3:GetObject',
  's3:CreateMultipartUpload': 's3:PutObject',
  's3:UploadPart': 's3:PutObject',
  's3:CompleteMultipartUpload': 's3:PutObject',
  'sqs:SendMessageBatch': 'sqs:SendMessage',
  'sqs:DeleteMessageBatch': 'sqs:DeleteMessage',
  'sqs:ChangeMessageVisibilityBatch': 'sqs:ChangeMessageVisibility',
  'dynamodb:TransactWriteItems': 'dynamodb:PutItem',
};

/** What IAM calls the calls of a module; `module#Call,Call`: of these alone. */
function actionsOfModule(use: string): string[] {
  const [file, only] = use.split('#');
  const text = readFileSync(join(ROOT, 'src', file!), 'utf8');
  const imports = [...text.matchAll(/import \{([^}]*)\} from '@aws-sdk\/client-(\w+)'/g)];
  const calls = [...text.matchAll(/new ([A-Z]\w+)Command\(/g)].map(([, call]) => call!);
  const wanted = only?.split(',') ?? calls;
  assert.deepEqual(
    wanted.filter((call) => !calls.includes(call)),
    [],
    use,
  );
  return wanted.map((call) => {
    const from = imports.find(([, names]) => names!.includes(`${call}Command`));
    const action = `${from?.[2]}:${call}`;
    return ACTIONS[action] ?? action;
  });
}

const sorted = (names: Iterable<string>) => [...new Set(names)].sort();

describe('permissions of deploy/terraform', () => {
  let hcl: Hcl;
  let permissions: Readonly<Record<string, Readonly<Record<string, unknown>>>>;

  before(async () => {
    hcl = await readHcl();
    permissions = localOf('permissions') as typeof permissions;
  });

  function localOf(name: string): unknown {
    return hcl.locals.find((block: Block) => name in block)?.[name];
  }

  /** The actions in an expression and in the locals that it names. */
  function actionsOf(value: unknown): string[] {
    const text = JSON.stringify(value);
    const own = [...text.matchAll(/\b[a-z0-9]+:[A-Z]\w+/g)].map(([action]) => action);
    const named = [...text.matchAll(/\blocal\.(\w+)/g)].map(([, name]) => name!);
    return [...own, ...named.flatMap((name) => actionsOf(localOf(name)))];
  }

  it('are those of the services', () => {
    assert.deepEqual(sorted(Object.keys(permissions)), sorted(Object.keys(USES)));
    for (const [service, uses] of Object.entries(USES)) {
      const named = Object.keys(permissions[service]!).filter((name) => !WITHOUT_CALLS.test(name));
      assert.deepEqual(sorted(named), sorted(Object.keys(uses)), service);
    }
  });

  it('allow what the code calls, and no more', () => {
    for (const [service, uses] of Object.entries(USES)) {
      for (const [name, modules] of Object.entries(uses)) {
        const called = sorted(modules.flatMap(actionsOfModule));
        assert.ok(called.length > 0, `${service}.${name}`);
        const allowed = sorted(actionsOf(permissions[service]![name]));
        assert.deepEqual(allowed, called, `${service}.${name}`);
      }
    }
  });

  it('know every module that calls AWS', () => {
    const files = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' });
    const calling = files.filter(
      (file) =>
        file.endsWith('.ts') &&
        /new [A-Z]\w+Command\(/.test(readFileSync(join(ROOT, 'src', file), 'utf8')),
    );
    const known = Object.values(USES).flatMap((uses) => Object.values(uses).flat());
    const modules = known.map((use) => use.split('#')[0]!);
    assert.deepEqual(sorted(calling), sorted([...modules, ...ELSEWHERE]));
  });

  it('name no wildcard of actions or resources', () => {
    assert.doesNotMatch(JSON.stringify(permissions), /"[a-z0-9]+:\*"|"\*"/);
  });
});
