import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { parse } from 'yaml';
import { ROOT } from '../../src/common/paths.ts';
import { sightline } from '../../src/gen/frame.js';
import { SAVED_QUERIES } from '../../src/query/saved.ts';
import { DETECTIONS } from '../../src/sinks/tables/detections.ts';
import { tableLines } from '../../src/sinks/tables/lines.ts';
import { RECORDED_FRAMES, SEGMENTS } from '../../src/sinks/tables/recorded.ts';
import { type SchemaElement, schemaOf } from '../../src/sinks/tables/table.ts';
import { segmentRecord } from '../sinks/samples.ts';
import { program } from '../support/optional.ts';
import { type Block, type Hcl, readHcl } from './hcl.ts';
import { HclValues } from './hcl-values.ts';

interface Column {
  readonly name: string;
  readonly type: string;
}
let hcl: Hcl;
const jq = program('jq');
const noJq = jq.startsWith('/nowhere/') && 'jq is not here';

function local<T>(name: string): T {
  const block = hcl.locals.find((each) => name in each);
  assert.ok(block, `no local ${name}`);
  return block[name] as T;
}

function resource(type: string, name: string): Block {
  const block = hcl.resource[type]?.[name]?.[0];
  assert.ok(block, `no ${type}.${name}`);
  return block;
}

before(async () => {
  hcl = await readHcl();
});

/** What a Parquet column of ours is in Hive's words. */
function hiveType(element: SchemaElement): string {
  const { type, converted_type: converted } = element;
  if (converted === 'LIST') return 'array<string>';
  if (converted === 'TIMESTAMP_MILLIS') return 'timestamp';
  const types: Record<string, string> = {
    BYTE_ARRAY: 'string',
    INT32: 'int',
    INT64: 'bigint',
    FLOAT: 'float',
    BOOLEAN: 'boolean',
  };
  return types[type ?? ''] ?? assert.fail(`no type for ${element.name}`);
}

/** A frame in which every column of the table has a value. */
function fullFrame(): Uint8Array {
  const frame = {
    sensorId: 'cam-1',
    streamId: 'cam-1',
    session: 's1',
    recordId: 'cam-1/s1/1',
    imageRef: 'cam-1/2026/01/31/13/s1-1.jpg',
    timestamp: { seconds: 1_769_864_400, nanos: 33_000_000 },
    model: { name: 'm', version: '1' },
    objects: [
      {
        id: '7',
        type: 'person',
        confidence: 0.5,
        bbox: { leftX: 1, topY: 2, rightX: 3, bottomY: 4 },
        analytics: { zones: ['door'], linesCrossed: ['in'], direction: 'north' },
      },
    ],
  };
  return sightline.v1.Frame.encode(frame as object as sightline.v1.IFrame).finish();
}

const TABLES = {
  detections: { table: DETECTIONS, payload: fullFrame },
  frames: { table: RECORDED_FRAMES, payload: () => segmentRecord({ frames: 1 }).payload },
  segments: { table: SEGMENTS, payload: () => segmentRecord({ frames: 1 }).payload },
};

describe('deploy/terraform', () => {
  it('names what the configurations name', () => {
    const buckets = local<Record<string, string>>('buckets');
    assert.equal(buckets['raw']?.replace(/\$\{var\.bucket_suffix\}$/, ''), 'raw-data');
    assert.equal(hcl.variable['bucket_suffix']?.[0]?.['default'], '');
    const { demo } = parse(readFileSync(join(ROOT, 'configs', 'demo.yaml'), 'utf8')) as {
      demo: { aws: { bucket: string; queue: string } };
    };
    assert.equal(demo.aws.bucket, 'raw-data');
    assert.equal(local<Record<string, string>>('queues')['frames'], demo.aws.queue);
  });

  for (const [name, { table, payload }] of Object.entries(TABLES)) {
    it(`has a table ${name} with the columns of the lines that the firehose sink sends`, () => {
      const sent = Object.keys(JSON.parse(tableLines(table, payload())[0]!) as object);
      const declared = local<Record<string, Column[]>>('columns')[name];
      assert.deepEqual(
        declared?.map((column) => column.name),
        sent,
      );
    });

    it(`gives the columns of ${name} the types of the Parquet files of the file sink`, () => {
      const nested = new Set(['root', 'list', 'element']);
      const types = new Map(
        schemaOf(table)
          .filter((each) => !nested.has(each.name))
          .map((each) => [each.name, hiveType(each)]),
      );
      const columns = local<Record<string, Column[]>>('columns')[name];
      const declared = new Map(columns?.map((column) => [column.name, column.type]));
      assert.equal(declared.get('timestamp_ms'), 'bigint');
      declared.delete('timestamp_ms');
      assert.deepEqual(Object.fromEntries(declared), Object.fromEntries(types));
    });
  }

  it('keeps dead letters longer than the messages that become them', () => {
    const retention = (name: string) =>
      Number(resource('aws_sqs_queue', name)['message_retention_seconds']);
    assert.ok(retention('dead_letters') > retention('this'));
    const days = Number(hcl.variable['claim_retention_days']?.[0]?.['default']);
    assert.ok(days * 86_400 > retention('dead_letters'), 'a dead letter outlives its picture');
  });

  it('gives infer more tries than it takes to bury a frame by itself', () => {
    const tries = Number(hcl.variable['max_receive_count']?.[0]?.['default']);
    const { limits } = parse(readFileSync(join(ROOT, 'configs', 'infer.yaml'), 'utf8')) as {
      limits: { maxReceives: number };
    };
    assert.ok(tries >= 3 * limits.maxReceives);
  });

  it('ends unfinished uploads, encrypts and closes every bucket', () => {
    const { rule } = resource('aws_s3_bucket_lifecycle_configuration', 'this') as {
      rule: Block[];
    };
    assert.ok(rule.some((each) => 'abort_incomplete_multipart_upload' in each));
    for (const type of [
      'aws_s3_bucket_public_access_block',
      'aws_s3_bucket_server_side_encryption_configuration',
      'aws_s3_bucket_ownership_controls',
    ]) {
      assert.match(String(resource(type, 'this')['for_each']), /^\$\{aws_s3_bucket\.this\}$/, type);
    }
  });

  it('asks for the hour of a row as jq 1.6 understands it', { skip: noJq }, () => {
    const queries = Object.entries(local<Record<string, string>>('hour_queries'));
    const row = tableLines(DETECTIONS, fullFrame())[0]!;
    const query = `{${queries.map(([key, value]) => `${key}:${value}`).join(',')}}`;
    const hour = execFileSync(jq, ['-c', query], { input: row, encoding: 'utf8' });
    assert.deepEqual(JSON.parse(hour), { year: '2026', month: '01', day: '31', hour: '13' });
  });

  it('saves the queries of `sightline query --saved`, as they are sent to Athena', async () => {
    const made = await new HclValues(hcl).resources('aws_athena_named_query', 'this');
    for (const [name, { athena }] of Object.entries(SAVED_QUERIES)) {
      assert.equal(made[name]?.['query'], athena, name);
      const told = String(made[name]?.['description']);
      assert.equal(told.includes('last day'), athena.includes("INTERVAL '1' DAY"), told);
    }
  });

  it('makes views with the columns of their tables and no more, one row for each key', async () => {
    for (const hash_buckets of [0, 4]) {
      const values = new HclValues(hcl, { hash_buckets });
      const made = await values.resources('aws_athena_named_query', 'this');
      const tables = await values.resources('aws_glue_catalog_table', 'rows');
      for (const [name, table] of Object.entries(tables)) {
        const view = String(made[`${name}-once-view`]?.['query']);
        const [{ columns }] = table['storage_descriptor'] as [{ columns: Column[] }];
        const partitions = (table['partition_keys'] as Column[]).map((column) => column.name);
        const names = [...columns.map((column) => `"${column.name}"`), ...partitions].join(', ');
        const keys = { detections: ', object_index', frames: ', frame_sequence' }[name] ?? '';
        const window = `PARTITION BY ${[...partitions, 'record_id'].join(', ')}${keys} ORDER BY`;
        assert.ok(view.startsWith(`CREATE OR REPLACE VIEW ${name}_once AS\nSELECT ${names} FROM`));
        assert.ok(view.includes(window), view);
        const template = (table['parameters'] as Record<string, string>)[
          'storage.location.template'
        ];
        const path = partitions.map((each) => `\${${each}}`).join('/');
        assert.equal(template, `s3://inference-data/${name}/${path}`);
      }
    }
  });

  it('partitions by hour and never by camera', () => {
    const projection = JSON.stringify(local('projection'));
    assert.match(projection, /projection\.dt\.type/);
    assert.match(projection, /yyyy\/MM\/dd\/HH/);
    assert.doesNotMatch(projection, /camera/);
  });
});
