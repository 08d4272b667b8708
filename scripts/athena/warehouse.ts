import assert from 'node:assert/strict';
import {
  AthenaClient,
  CreateNamedQueryCommand,
  CreateWorkGroupCommand,
} from '@aws-sdk/client-athena';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3';
import { type Block, readHcl } from '../../test/deploy/hcl.ts';
import { HclValues } from '../../test/deploy/hcl-values.ts';
import type { Moto } from '../../test/support/moto.ts';

export interface SavedQuery {
  readonly name: string;
  readonly query: string;
}

interface Table {
  readonly name: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly partition_keys: readonly Block[];
  readonly table_type: string;
  readonly storage_descriptor: readonly [
    {
      readonly columns: readonly { readonly name: string; readonly type: string }[];
      readonly location: string;
      readonly input_format: string;
      readonly output_format: string;
      readonly ser_de_info: readonly [
        {
          readonly serialization_library: string;
          readonly parameters: Readonly<Record<string, string>>;
        },
      ];
    },
  ];
}

/** What deploy/terraform makes for queries, made in moto from the same files. */
export class Warehouse {
  readonly database: string;
  readonly workGroup: string;
  readonly bucket: string;
  readonly tables: Readonly<Record<string, Table>>;
  readonly saved: Readonly<Record<string, SavedQuery>>;
  readonly s3: S3Client;
  readonly #values: HclValues;
  readonly #moto: Moto;

  private constructor(
    moto: Moto,
    values: HclValues,
    made: Pick<Warehouse, 'database' | 'workGroup' | 'bucket' | 'tables' | 'saved'>,
  ) {
    this.#moto = moto;
    this.#values = values;
    this.s3 = new S3Client({ ...moto.client, forcePathStyle: true });
    ({ database: this.database, workGroup: this.workGroup, bucket: this.bucket } = made);
    ({ tables: this.tables, saved: this.saved } = made);
  }

  /**
   * @param variables of Terraform
   * @param database in place of Terraform's, without a workgroup: for a second one beside the first
   */
  static async make(
    moto: Moto,
    variables: Readonly<Record<string, unknown>>,
    database?: string,
  ): Promise<Warehouse> {
    const values = new HclValues(await readHcl(), variables);
    const nameOf = async (type: string, attribute = 'name') =>
      Object.values(
        await values.resources(type, 'this', (body) => ({ name: body[attribute] })),
      )[0]!['name'] as string;
    const buckets = (await values.local('buckets')) as Record<string, string>;
    const warehouse = new Warehouse(moto, values, {
      database: database ?? (await nameOf('aws_glue_catalog_database')),
      workGroup: await nameOf('aws_athena_workgroup'),
      bucket: buckets['inference']!,
      tables: (await values.resources('aws_glue_catalog_table', 'rows')) as unknown as Record<
        string,
        Table
      >,
      saved: (await values.resources('aws_athena_named_query', 'this')) as unknown as Record<
        string,
        SavedQuery
      >,
    });
    await warehouse.#fill(Object.values(buckets));
    if (database === undefined) await warehouse.#saveQueries();
    return warehouse;
  }

  async #fill(buckets: readonly string[]): Promise<void> {
    for (const Bucket of buckets) await this.s3.send(new CreateBucketCommand({ Bucket }));
    await this.glue('CreateDatabase', { DatabaseInput: { Name: this.database } });
    for (const table of Object.values(this.tables)) {
      await this.glue('CreateTable', {
        DatabaseName: this.database,
        TableInput: tableInput(table),
      });
    }
  }

  async #saveQueries(): Promise<void> {
    const athena = new AthenaClient(this.#moto.client);
    await athena.send(new CreateWorkGroupCommand({ Name: this.workGroup }));
    for (const { name, query } of Object.values(this.saved)) {
      const more = { Database: this.database, WorkGroup: this.workGroup };
      await athena.send(new CreateNamedQueryCommand({ Name: name, QueryString: query, ...more }));
    }
    athena.destroy();
  }

  async glue(action: string, input: object): Promise<object> {
    const { endpoint, region } = this.#moto.client;
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: {
        ...{ 'x-amz-target': `AWSGlue.${action}`, 'content-type': 'application/x-amz-json-1.1' },
        authorization: `AWS4-HMAC-SHA256 Credential=check/20260101/${region}/glue/aws4_request, SignedHeaders=host, Signature=0`,
      },
      body: JSON.stringify(input),
    });
    const text = await response.text();
    assert.ok(response.ok, `${action}: ${text}`);
    return text === '' ? {} : (JSON.parse(text) as object);
  }

  /** The prefix of the objects of a delivery stream, with `!{partitionKeyFromQuery:…}`, and the queries for these, of jq. */
  async firehosePath(table: string): Promise<{ prefix: string; queries: Record<string, string> }> {
    const streams = await this.#values.resources(
      'aws_kinesis_firehose_delivery_stream',
      'rows',
      (body) => ({ prefix: (body['extended_s3_configuration'] as Block[])[0]!['prefix'] }),
    );
    return {
      prefix: streams[table]!['prefix'] as string,
      queries: (await this.#values.local('partition_queries')) as Record<string, string>,
    };
  }

  async keys(Prefix: string): Promise<string[]> {
    const { Contents = [] } = await this.s3.send(
      new ListObjectsV2Command({ Bucket: this.bucket, Prefix }),
    );
    return Contents.map(({ Key }) => Key!);
  }

  async read(Key: string): Promise<Uint8Array> {
    const { Body } = await this.s3.send(new GetObjectCommand({ Bucket: this.bucket, Key }));
    return Body!.transformToByteArray();
  }

  close(): void {
    this.s3.destroy();
  }
}

function tableInput({
  name,
  parameters,
  partition_keys: partitions,
  table_type,
  storage_descriptor: [stored],
}: Table) {
  const column = ({ name: Name, type: Type }: { name?: unknown; type?: unknown }) => ({
    Name,
    Type,
  });
  const [serde] = stored.ser_de_info;
  return {
    ...{ Name: name, TableType: table_type, Parameters: parameters },
    PartitionKeys: partitions.map(column),
    StorageDescriptor: {
      Columns: stored.columns.map(column),
      Location: stored.location,
      InputFormat: stored.input_format,
      OutputFormat: stored.output_format,
      SerdeInfo: {
        SerializationLibrary: serde.serialization_library,
        Parameters: serde.parameters,
      },
    },
  };
}
