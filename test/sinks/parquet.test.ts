import assert from 'node:assert/strict';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { type TestContext, test } from 'node:test';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { checkValue } from '../../src/common/check.ts';
import { sightline } from '../../src/gen/frame.js';
import { FileSink } from '../../src/sinks/file/sink.ts';
import { FileSinkSpec } from '../../src/sinks/file/spec.ts';
import { encodeDelimited } from '../../src/sinks/format/length-delimited.ts';
import { until } from '../support/wait.ts';
import { errorCode, frameRecord, NO_LIMIT, START_MS, statuses, withPayload } from './samples.ts';

const HOUR_MS = 3_600_000;
const PLACE = 'camera=cam-1/date=2026-01-31/hour=13';

function folder(context: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), 'sightline-parquet-'));
  context.after(() => rmSync(root, { recursive: true, force: true }));
  return root;
}

function makeSink(context: TestContext, root: string, spec: Partial<FileSinkSpec> = {}): FileSink {
  const whole = { id: 'files', type: 'file', dir: 'unused', formats: ['parquet'], ...spec };
  const sink = new FileSink({ ...checkValue(whole, FileSinkSpec), maxWaitMs: 0 }, { root });
  context.after(() => sink.close());
  return sink;
}

function filesBelow(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort();
}

async function rowsOf(path: string): Promise<Record<string, unknown>[]> {
  return parquetReadObjects({ file: await asyncBufferFromFile(path) });
}

test('a Parquet file has a row for each object, with what the inference database needs', async (context) => {
  const root = folder(context);
  const sink = makeSink(context, root);
  const rich = sightline.v1.Frame.decode(frameRecord(7).payload);
  rich.model = { name: 'ssd', version: '3', backend: 'cpu', executionProvider: '' };
  rich.imageRef = 'cam-1/2026/01/31/13/s1-7.jpg';
  rich.objects[1]!.analytics = {
    ...{ zones: ['door', 'yard'], overcrowdedZones: [], linesCrossed: ['gate'] },
    ...{ direction: 'in', stopped: false },
  } as object as sightline.v1.ObjectAnalytics;
  const payload = sightline.v1.Frame.encode(rich).finish();
  const batch = [withPayload(frameRecord(7), payload), frameRecord(8, { objects: 0 })];
  assert.deepEqual(statuses(await sink.deliver(batch, NO_LIMIT)), ['accepted', 'accepted']);
  await sink.close();
  assert.deepEqual(filesBelow(root), [`${PLACE}/part-0001.parquet`]);
  const [plain, zoned, ...rest] = await rowsOf(join(root, PLACE, 'part-0001.parquet'));
  assert.equal(rest.length, 0);
  assert.deepEqual(zoned, {
    ...{ camera_id: 'cam-1', timestamp: new Date(START_MS + 7 * 33), object_id: '2' },
    ...{ class: 'person', class_id: 0, confidence: 0.875 },
    ...{ left_x: 11.5, top_y: 20.25, right_x: 110.75, bottom_y: 220.5 },
    ...{ frame_width: 768, frame_height: 576, zones: ['door', 'yard'], lines_crossed: ['gate'] },
    ...{ direction: 'in', model_name: 'ssd', model_version: '3', inferred: true },
    ...{ frames_since_detection: 0, frame_reference: 'cam-1/2026/01/31/13/s1-7.jpg' },
    ...{ session: 's1', frame_sequence: 7n, record_id: 'cam-1/s1/7', object_index: 1 },
    pts_ns: BigInt(7 * 33_333_333),
  });
  assert.deepEqual([plain?.['zones'], plain?.['direction']], [[], null]);
});

test('parts follow each other when one is full or old, by hour, with several row groups', async (context) => {
  const root = folder(context);
  const full = makeSink(context, root, { maxFileBytes: 60_000 });
  const frames = Array.from({ length: 300 }, (_, seq) => frameRecord(seq, { objects: 5 }));
  for (let at = 0; at < 300; at += 50) {
    const results = await full.deliver(frames.slice(at, at + 50), NO_LIMIT);
    assert.deepEqual(new Set(statuses(results)), new Set(['accepted']));
  }
  await full.deliver([frameRecord(400, { atMs: START_MS + HOUR_MS })], NO_LIMIT);
  await full.close();
  const files = filesBelow(root);
  assert.ok(files.length > 2 && files.every((file) => file.endsWith('.parquet')), files.join());
  assert.ok(files.includes('camera=cam-1/date=2026-01-31/hour=14/part-0001.parquet'));
  const ids = new Set<unknown>();
  let rows = 0;
  for (const file of files.filter((name) => name.startsWith(PLACE))) {
    for (const row of await rowsOf(join(root, file))) {
      rows++;
      ids.add(`${String(row['record_id'])}#${String(row['object_index'])}`);
    }
  }
  assert.deepEqual([rows, ids.size], [1500, 1500]);

  const aged = makeSink(context, root, { maxFileAgeMs: 1000 });
  const before = filesBelow(root).length;
  await aged.deliver([frameRecord(500)], NO_LIMIT);
  assert.ok(filesBelow(root).some((file) => file.startsWith('.staging/')));
  await until(
    'the part is made',
    8000,
    () =>
      filesBelow(root).length === before + 1 &&
      filesBelow(root).every((file) => !file.startsWith('.staging/')),
  );

  const big = folder(context);
  const many = makeSink(context, big);
  await many.deliver(
    Array.from({ length: 600 }, (_, seq) => frameRecord(seq, { objects: 100 })),
    NO_LIMIT,
  );
  await many.close();
  const file = await asyncBufferFromFile(join(big, PLACE, 'part-0001.parquet'));
  const { num_rows: count, row_groups: groups } = await parquetMetadataAsync(file);
  assert.deepEqual([count, groups.length], [60_000n, 2]);
});

test('what a killed run left staged becomes parts at the start, each frame once', async (context) => {
  const root = folder(context);
  const staged = join(root, '.staging', 'cam-1!2026-01-31!13!0001.pb');
  mkdirSync(dirname(staged), { recursive: true });
  const frames = [frameRecord(1), frameRecord(2), frameRecord(2), frameRecord(3)];
  writeFileSync(staged, encodeDelimited(frames.map(({ payload }) => payload)));
  // Killed in the middle of an append, and of an earlier conversion.
  appendFileSync(staged, Buffer.from([0xff, 0x07, 1, 2, 3]));
  writeFileSync(`${staged}.tmp`, 'half of a file');
  const sink = makeSink(context, root);
  sink.start?.();
  await until('the part', 8000, () => filesBelow(root).join() === `${PLACE}/part-0001.parquet`);
  const ids = (await rowsOf(join(root, PLACE, 'part-0001.parquet'))).map((row) => row['record_id']);
  assert.deepEqual(
    ids,
    [1, 1, 2, 2, 3, 3].map((seq) => `cam-1/s1/${seq}`),
  );

  // Killed between the rename and the removal of the staged file: made again under the same name.
  writeFileSync(staged, encodeDelimited(frames.map(({ payload }) => payload)));
  const again = makeSink(context, root);
  await again.deliver([frameRecord(4)], NO_LIMIT);
  await again.close();
  assert.deepEqual(filesBelow(root), [
    ...[`${PLACE}/part-0001.parquet`, `${PLACE}/part-0002.parquet`],
  ]);
  assert.equal((await rowsOf(join(root, PLACE, 'part-0001.parquet'))).length, 6);
});

test('damaged frames are refused before they are acknowledged', async (context) => {
  const sink = makeSink(context, folder(context));
  const junk = withPayload(frameRecord(2), Buffer.from([0x0a, 0xff, 0x01]));
  const results = await sink.deliver([frameRecord(1), junk], NO_LIMIT);
  assert.deepEqual(statuses(results), ['accepted', 'rejected']);
  assert.equal(errorCode(results[1]), 'SL_SINK_REJECTED');
});

test('a clock that jumps about makes a handful of files, and no id leads out of the folder', async (context) => {
  const root = folder(context);
  const sink = makeSink(context, root);
  const jumping = Array.from({ length: 500 }, (_, seq) =>
    frameRecord(seq, { atMs: (seq * 7919 * HOUR_MS) % 4e12 }),
  );
  const hostile = frameRecord(1, { streamId: '../../x!y/=' });
  const batch = [...jumping, hostile];
  assert.deepEqual(new Set(statuses(await sink.deliver(batch, NO_LIMIT))), new Set(['accepted']));
  await sink.close();
  const files = filesBelow(root);
  assert.ok(files.length <= 8, files.join('\n'));
  const cameras = readdirSync(root).filter((name) => name !== '.staging');
  assert.deepEqual(cameras.sort(), ['camera=%2E.%2F..%2Fx%21y%2F%3D', 'camera=cam-1']);
  let rows = 0;
  for (const file of files) rows += (await rowsOf(join(root, file))).length;
  assert.equal(rows, 2 * batch.length);
});
