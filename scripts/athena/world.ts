import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { AthenaClient } from '@aws-sdk/client-athena';
import { checkValue } from '../../src/common/check.ts';
import type { PendingRecord } from '../../src/common/delivery.ts';
import { queryAthena } from '../../src/query/athena.ts';
import { runQuery } from '../../src/query/engine.ts';
import type { QueryAnswer, QueryParameter, QueryRequest } from '../../src/query/request.ts';
import { FileSink } from '../../src/sinks/file/sink.ts';
import { FileSinkSpec } from '../../src/sinks/file/spec.ts';
import { NO_LIMIT } from '../../test/sinks/samples.ts';
import { Moto } from '../../test/support/moto.ts';
import { AthenaServer } from './athena-server.ts';
import { detections, HOUR, hourOf, recording, type Sample, samplesOf } from './data.ts';
import { Firehose } from './firehose.ts';
import { GlueDefaults } from './glue-defaults.ts';
import { ReadObjects } from './read-objects.ts';
import { Trino } from './trino.ts';
import { Warehouse } from './warehouse.ts';

/** For DuckDB: all objects, those of the last day, and the files of a file sink that got the same records. */
type Folder = 'objects' | 'recent' | 'files';

/** Everything that the check needs, with rows in it. */
export class World {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'sightline-athena-'));
  /** Hours of which there are rows, the oldest first; it alone is not of the last day. */
  readonly hours: readonly number[];
  moto!: Moto;
  trino!: Trino;
  reads!: ReadObjects;
  server!: AthenaServer;
  warehouse!: Warehouse;
  /** The same with `hash_buckets`. */
  bucketed!: Warehouse;
  client!: AthenaClient;
  #glue!: GlueDefaults;

  constructor(now = Date.now()) {
    const hour = Math.floor(now / HOUR) * HOUR;
    this.hours = [26, 3, 2, 1].map((ago) => hour - ago * HOUR);
  }

  static async start(): Promise<World> {
    const world = new World();
    try {
      await world.#start();
    } catch (error) {
      await world.close();
      throw error;
    }
    return world;
  }

  async #start(): Promise<void> {
    this.moto = await Moto.start();
    const { endpoint } = this.moto.client;
    this.reads = await ReadObjects.start(endpoint);
    this.#glue = await GlueDefaults.start(endpoint);
    this.trino = await Trino.start(this.folder, this.#glue.url, this.reads.url);
    this.server = await AthenaServer.start(this.trino, endpoint);
    this.client = new AthenaClient({ ...this.moto.client, endpoint: this.server.url });
    // Without it every query that names no hour would look into each since the start of the year.
    const first_hour = hourOf(this.hours[0]! - HOUR);
    this.warehouse = await Warehouse.make(this.moto, { first_hour });
    const more = { hash_buckets: 4, bucket_suffix: '-hashed' };
    this.bucketed = await Warehouse.make(this.moto, { first_hour, ...more }, 'hashed');
    await this.#fill();
  }

  async #fill(): Promise<void> {
    const frames = samplesOf(this.hours, 9);
    const again = frames.filter(({ sequence }) => sequence % 4 === 1);
    const segments = this.hours.map((atMs, at) => recording(atMs + 5000, at + 1));
    const firehose = new Firehose(this.moto, this.warehouse, this.trino);
    await firehose.prepare();
    // Two buffers of Firehose, and two parts of the file sink: copies lie in objects of their own.
    for (const batch of [frames, again])
      await firehose.deliver('detections', batch.map(detections));
    for (const table of ['frames', 'segments'] as const) {
      for (const batch of [segments, segments.slice(1)]) await firehose.deliver(table, batch);
    }
    const hashed = new Firehose(this.moto, this.bucketed, this.trino);
    await hashed.deliver('detections', frames.slice(-9).map(detections));
    await this.#copyObjects();
    await this.#writeFiles([frames, again], [segments, segments.slice(1)]);
  }

  /** The objects in the layout of the file sink, for DuckDB; those of the last day beside all of them. */
  async #copyObjects(): Promise<void> {
    for (const [table, below] of Object.entries({
      detections: '',
      frames: 'frames',
      segments: 'segments',
    })) {
      for (const key of await this.warehouse.keys(`${table}/`)) {
        const [, year, month, day, hour] = dirname(key).split('/');
        const place = [below, 'camera=any', `date=${year}-${month}-${day}`, `hour=${hour}`];
        const bytes = await this.warehouse.read(key);
        const isOld = `${year}/${month}/${day}/${hour}` === hourOf(this.hours[0]!);
        for (const kept of isOld ? ['objects'] : ['objects', 'recent']) {
          const folder = join(this.folder, kept, ...place);
          mkdirSync(folder, { recursive: true });
          writeFileSync(join(folder, basename(key)), bytes);
        }
      }
    }
  }

  async #writeFiles(
    frames: readonly (readonly Sample[])[],
    segments: readonly (readonly PendingRecord[])[],
  ): Promise<void> {
    const spec = { id: 'files', type: 'file', dir: 'unused', formats: ['parquet'] };
    const checked = checkValue({ ...spec, kinds: ['frame', 'segment'] }, FileSinkSpec);
    for (const [at, batch] of frames.entries()) {
      const sink = new FileSink(checked, { root: this.pathOf('files') });
      await sink.deliver([...batch.map(detections), ...segments[at]!], NO_LIMIT);
      await sink.close();
    }
  }

  pathOf(name: Folder): string {
    return join(this.folder, name);
  }

  athena(
    sql: string,
    more: Partial<QueryRequest> & { database?: string; workGroup?: string } = {},
  ): Promise<QueryAnswer> {
    const { database = this.warehouse.database, workGroup = this.warehouse.workGroup } = more;
    const settings = { workGroup, database, catalog: 'AwsDataCatalog' };
    return queryAthena(this.client, settings, requestOf(sql, more));
  }

  /** DuckDB over folders of this world. */
  local(
    names: readonly Folder[],
    sql: string,
    parameters: readonly QueryParameter[] = [],
  ): Promise<QueryAnswer> {
    const folders = names.map((name) => this.pathOf(name));
    const memoryBytes = 256 * 1024 * 1024;
    return runQuery({ ...requestOf(sql, { parameters }), folders, memoryBytes });
  }

  async close(): Promise<void> {
    this.client?.destroy();
    this.warehouse?.close();
    this.bucketed?.close();
    await this.server?.[Symbol.asyncDispose]();
    await this.trino?.close();
    await this.#glue?.[Symbol.asyncDispose]();
    await this.reads?.[Symbol.asyncDispose]();
    await this.moto?.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function requestOf(sql: string, more: Partial<QueryRequest>): QueryRequest {
  const { parameters = [], maxRows = 10_000, timeoutMs = 120_000 } = more;
  return { sql, parameters, maxRows, timeoutMs };
}

/** Rows as they can be compared: in an order, and fractions as the 32 bits that they have in the files. */
export function comparable(rows: readonly (readonly unknown[])[], isOrdered = false): string[] {
  const texts = rows.map((row) =>
    JSON.stringify(
      row.map((value) =>
        typeof value === 'number' && !Number.isInteger(value) ? Math.fround(value) : value,
      ),
    ),
  );
  return isOrdered ? texts : texts.sort();
}
