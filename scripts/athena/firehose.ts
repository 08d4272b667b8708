import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { CreateDeliveryStreamCommand, FirehoseClient } from '@aws-sdk/client-firehose';
import { CopyObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { checkValue } from '../../src/common/check.ts';
import type { PendingRecord } from '../../src/common/delivery.ts';
import { createSink } from '../../src/sinks/registry.ts';
import { SinkSpec } from '../../src/sinks/specs.ts';
import { statuses } from '../../test/sinks/samples.ts';
import type { Moto } from '../../test/support/moto.ts';
import type { Trino } from './trino.ts';
import type { Warehouse } from './warehouse.ts';

const STAGING = 'staging';
const ROLE = 'arn:aws:iam::123456789012:role/firehose';

/**
 * What Firehose does with the lines of our sink. They come through moto's, which puts them into the bucket as they are. The
 * rest is done here: the keys by Terraform's own queries for jq and its prefix, and Parquet from the lines by Trino, whose
 * readers and writers follow the libraries that Firehose names (OpenX's JSON, Hive's Parquet with Snappy).
 */
export class Firehose {
  readonly #moto: Moto;
  readonly #warehouse: Warehouse;
  readonly #trino: Trino;
  #batch = 0;

  constructor(moto: Moto, warehouse: Warehouse, trino: Trino) {
    this.#moto = moto;
    this.#warehouse = warehouse;
    this.#trino = trino;
  }

  /** Makes the objects of one buffer: a file for each partition. */
  async deliver(table: string, records: readonly PendingRecord[]): Promise<void> {
    const lines = await this.#throughMoto(table, records);
    const { prefix, queries } = await this.#warehouse.firehosePath(table);
    const query = `{${Object.entries(queries)
      .map(([key, value]) => `${key}:${value}`)
      .join(',')}}`;
    const parts = execFileSync('jq', ['-c', query], { input: lines.join('\n'), encoding: 'utf8' });
    const files = new Map<string, string[]>();
    for (const [at, part] of parts.trim().split('\n').entries()) {
      const values = JSON.parse(part) as Record<string, unknown>;
      const path = prefix.replace(/!\{partitionKeyFromQuery:(\w+)\}/g, (_, key) =>
        String(values[key]),
      );
      files.set(path, [...(files.get(path) ?? []), lines[at]!]);
    }
    for (const [path, rows] of files) await this.#convert(table, path, rows);
  }

  async #throughMoto(table: string, records: readonly PendingRecord[]): Promise<string[]> {
    const deliveryStream = `${this.#warehouse.database}-${table}-${this.#batch++}`;
    const prefix = `raw/${deliveryStream}/`;
    const client = new FirehoseClient(this.#moto.client);
    await client.send(
      new CreateDeliveryStreamCommand({
        DeliveryStreamName: deliveryStream,
        ExtendedS3DestinationConfiguration: {
          ...{ RoleARN: ROLE, BucketARN: `arn:aws:s3:::${this.#warehouse.bucket}`, Prefix: prefix },
        },
      }),
    );
    client.destroy();
    const spec = {
      ...{ id: 'rows', type: 'firehose', deliveryStream, ...this.#moto.client },
      ...(table !== 'detections' && { kinds: ['segment'], segmentRows: table }),
    };
    const sink = await createSink(checkValue(spec, SinkSpec), { baseDir: '/' });
    const results = await sink.deliver(records, { signal: AbortSignal.timeout(30_000) });
    await sink.close();
    // A frame without objects has no rows.
    const failed = statuses(results).filter((each) => each !== 'accepted' && each !== 'filtered');
    assert.deepEqual(failed, []);
    const texts: string[] = [];
    for (const key of await this.#warehouse.keys(prefix)) {
      texts.push(Buffer.from(await this.#warehouse.read(key)).toString());
    }
    return texts.join('').trim().split('\n');
  }

  async #convert(table: string, path: string, lines: readonly string[]): Promise<void> {
    const { bucket: Bucket, s3 } = this.#warehouse;
    const staged = `${STAGING}/${this.#batch++}/`;
    await s3.send(
      new PutObjectCommand({ Bucket, Key: `${staged}lines/1.json`, Body: lines.join('\n') }),
    );
    const columns = this.#warehouse.tables[table]!.storage_descriptor[0].columns;
    const typed = columns.map(({ name, type }) => `"${name}" ${sqlType(type)}`).join(', ');
    const source = `lines_${this.#batch}`;
    const rows = `rows_${this.#batch}`;
    await this.#trino.run(
      `CREATE TABLE ${source} (${typed}) WITH (format = 'OPENX_JSON', external_location = 's3://${Bucket}/${staged}lines/')`,
      STAGING,
    );
    await this.#trino.run(
      `CREATE TABLE ${rows} WITH (format = 'PARQUET', external_location = 's3://${Bucket}/${staged}rows/')
       AS SELECT * FROM ${source}`,
      STAGING,
    );
    for (const key of await this.#warehouse.keys(`${staged}rows/`)) {
      const Key = `${path}${this.#batch}-${key.split('/').at(-1)}.parquet`;
      await s3.send(new CopyObjectCommand({ Bucket, Key, CopySource: `${Bucket}/${key}` }));
    }
    for (const made of [source, rows]) await this.#trino.run(`DROP TABLE ${made}`, STAGING);
  }

  async prepare(): Promise<void> {
    await this.#warehouse.glue('CreateDatabase', { DatabaseInput: { Name: STAGING } });
  }
}

/** Hive's types in Trino's words. */
function sqlType(type: string): string {
  const known: Record<string, string> = {
    ...{ string: 'varchar', int: 'integer', float: 'real', 'array<string>': 'array(varchar)' },
    ...{ timestamp: 'timestamp(3)', bigint: 'bigint', boolean: 'boolean' },
  };
  return known[type] ?? assert.fail(`no type ${type}`);
}
