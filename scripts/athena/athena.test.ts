import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { checkClient } from './client-checks.ts';
import { hourOf } from './data.ts';
import { checkSavedQueries, savedInAws } from './saved-checks.ts';
import { comparable, World } from './world.ts';

let world: World;

before(async () => {
  world = await World.start();
});
after(() => world?.close());

const ALL = ['objects', 'files'] as const;
const hour = (at: number) => hourOf(world.hours.at(at)!);

/** Asked of Athena, and in DuckDB's words of DuckDB. */
const COLUMNS = `"timestamp", timestamp_ms, camera_id, object_id, class, class_id, confidence, left_x, top_y, right_x,
  bottom_y, frame_width, frame_height, LISTED, direction, model_name, model_version, inferred, frames_since_detection,
  frame_reference, session, frame_sequence, record_id, object_index, pts_ns, dt`;
const LISTS = {
  athena: "array_join(zones, '|'), array_join(lines_crossed, '|'), cardinality(zones)",
  local: "array_to_string(zones, '|'), array_to_string(lines_crossed, '|'), len(zones)",
};
const QUESTIONS: readonly (string | { readonly athena: string; readonly local: string })[] = [
  ...['detections', 'detections_once'].map((table) => ({
    athena: `SELECT ${COLUMNS.replace('LISTED', LISTS.athena)} FROM ${table}`,
    local: `SELECT ${COLUMNS.replace('LISTED', LISTS.local)} FROM ${table}`,
  })),
  ...['frames', 'frames_once'].map(
    (table) =>
      `SELECT "timestamp", timestamp_ms, camera_id, capture_clock, pts_ns, segment_key, byte_offset, size_bytes, key_frame,
         session, frame_sequence, epoch, record_id, dt FROM ${table}`,
  ),
  ...['segments', 'segments_once'].map(
    (table) =>
      `SELECT "timestamp", timestamp_ms, camera_id, capture_clock, duration_ns, segment_key, content_type, codec,
         size_bytes, sha256, frames, closed, session, epoch, record_id, dt FROM ${table}`,
  ),
  'SELECT camera_id, class, count(*), max(confidence), min("timestamp") FROM detections_once GROUP BY 1, 2',
  'SELECT dt, count(*), count(DISTINCT record_id) FROM detections GROUP BY 1',
  `SELECT f.segment_key, count(*) FROM frames_once f JOIN segments_once s ON f.record_id = s.record_id AND f.dt = s.dt
   WHERE f.key_frame GROUP BY 1`,
];

describe('queries in Athena', () => {
  it('cannot name the views before they are made', async () => {
    await assert.rejects(world.athena('SELECT * FROM detections_once'), {
      code: 'SL_REQUEST_INVALID',
      message: /detections_once' does not exist/,
    });
  });

  it('has the views once the saved queries have run, as often as they may', async () => {
    const views = [...(await savedInAws(world))].filter(([name]) => name.endsWith('-once-view'));
    assert.equal(views.length, 3);
    for (const [, sql] of [...views, ...views]) {
      const { rows } = await world.athena(sql);
      assert.deepEqual(rows, []);
    }
  });

  it('gives the views the columns of their tables', async () => {
    for (const table of Object.keys(world.warehouse.tables)) {
      const columnsOf = async (name: string) =>
        (await world.athena(`SELECT * FROM ${name} WHERE dt = '${hour(-1)}' LIMIT 1`)).columns;
      assert.deepEqual(await columnsOf(`${table}_once`), await columnsOf(table));
    }
  });

  it('answers as DuckDB does over the same objects, and over the files of the file sink', async () => {
    for (const question of QUESTIONS) {
      const { athena, local } =
        typeof question === 'string' ? { athena: question, local: question } : question;
      const { rows } = await world.athena(athena);
      assert.ok(rows.length > 1, athena);
      for (const engine of ALL) {
        const expected = await world.local([engine], local);
        assert.deepEqual(comparable(rows), comparable(expected.rows), `${engine}: ${athena}`);
      }
    }
  });

  it('has copies in the tables and none in the views', async () => {
    for (const [table, key] of Object.entries({
      detections: 'record_id, object_index',
      frames: 'record_id, frame_sequence',
      segments: 'record_id',
    })) {
      const count = async (name: string) =>
        (await world.athena(`SELECT count(*), count(DISTINCT (${key})) FROM ${name}`)).rows[0]!;
      const [all, distinct] = (await count(table)) as [number, number];
      assert.ok(all > distinct, `${table}: ${all}, ${distinct}`);
      assert.deepEqual(await count(`${table}_once`), [distinct, distinct]);
    }
  });

  it('reads the files of the file sink, too, and files from before a column was added', async () => {
    const { bucket, s3 } = world.warehouse;
    // An hour without rows, so that nobody else sees them.
    const dt = hourOf(world.hours[0]! + 3_600_000);
    const part = readdirSync(world.pathOf('files'), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.startsWith('camera=cam-1') && path.endsWith('.parquet'))
      .sort()[0]!;
    const Key = `detections/${dt}/part.parquet`;
    const Body = readFileSync(join(world.pathOf('files'), part));
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body }));
    try {
      const select = (table: string, lists: string, where: string) =>
        `SELECT ${COLUMNS.replace('LISTED', lists).replace('timestamp_ms, ', '').replace(/, dt$/, '')}
         FROM ${table} WHERE ${where}`;
      const { rows } = await world.athena(select('detections', LISTS.athena, `dt = '${dt}'`));
      const [, date, hour] = /date=([^/]+).hour=(\d\d)/.exec(part)!;
      const place = `camera = 'cam-1' AND "date" = '${date}' AND "hour" = '${hour}'`;
      const { rows: expected } = await world.local(
        ['files'],
        select('detections_once', LISTS.local, place),
      );
      assert.ok(expected.length > 0);
      assert.deepEqual(comparable(rows), comparable(expected));
      // That column is not in the file.
      const added = `SELECT count(*), count(timestamp_ms) FROM detections_once WHERE dt = '${dt}'`;
      assert.deepEqual((await world.athena(added)).rows, [[expected.length, 0]]);
    } finally {
      await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key }));
    }
  });

  it('reads the objects of the hours that a query names, and no others', async () => {
    const objectsOf = async (table: string, ...hours: string[]) =>
      (await Promise.all(hours.map((each) => world.warehouse.keys(`${table}/${each}/`))))
        .flat()
        .sort();
    for (const table of Object.keys(world.warehouse.tables)) {
      for (const name of [table, `${table}_once`]) {
        const read = async (condition: string, ...parameters: string[]) => {
          world.reads.take();
          await world.athena(
            `SELECT max(timestamp_ms), count(camera_id) FROM ${name} WHERE ${condition}`,
            {
              parameters,
            },
          );
          return world.reads.take();
        };
        const one = await objectsOf(table, hour(-1));
        assert.ok(one.length >= 1);
        assert.deepEqual(await read(`dt = '${hour(-1)}'`), one, name);
        assert.deepEqual(await read('dt = ?', hour(-1)), one, name);
        assert.deepEqual(await read(`dt = '${hour(-1)}' AND camera_id = 'cam-1'`), one, name);
        const two = await objectsOf(table, hour(-1), hour(-2));
        assert.deepEqual(await read(`dt >= '${hour(-2)}'`), two, name);
        const between = await objectsOf(table, hour(-2), hour(-3));
        assert.deepEqual(await read('dt BETWEEN ? AND ?', hour(-3), hour(-2)), between, name);
        assert.deepEqual(await read(`dt = '${hourOf(world.hours[0]! - 3_600_000)}'`), [], name);
      }
    }
  });
});

describe('the buckets of hash_buckets', () => {
  const view = () => world.bucketed.saved['detections-once-view']!.query;
  const database = 'hashed';

  it('are partitions where the rows of a camera lie', async () => {
    await world.athena(view(), { database });
    const sql = `SELECT camera_id, bucket, count(*) FROM detections_once WHERE dt = '${hour(-1)}' GROUP BY 1, 2`;
    const { rows } = await world.athena(sql, { database });
    const bucketOf = (camera: unknown) =>
      [...String(camera)].reduce((sum, letter) => sum + letter.codePointAt(0)!, 0) % 4;
    assert.ok(rows.length > 1);
    for (const [camera, bucket] of rows) assert.equal(bucket, bucketOf(camera));
  });

  it('keep the objects of others closed', async () => {
    world.reads.take();
    const condition = `bucket = 3 AND dt = '${hour(-1)}'`;
    await world.athena(`SELECT count(class) FROM detections_once WHERE ${condition}`, { database });
    const read = world.reads.take();
    assert.deepEqual(read, (await world.bucketed.keys(`detections/3/${hour(-1)}/`)).sort());
  });
});

checkSavedQueries(() => world);
checkClient(() => world);
