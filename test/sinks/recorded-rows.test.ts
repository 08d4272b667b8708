import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { type TestContext, test } from 'node:test';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { checkValue } from '../../src/common/check.ts';
import { decodeSegment } from '../../src/metadata/segment.ts';
import { FileSink } from '../../src/sinks/file/sink.ts';
import { FileSinkSpec } from '../../src/sinks/file/spec.ts';
import { cutByBytes, cutByFrames } from '../../src/sinks/format/segment-pieces.ts';
import {
  errorCode,
  NO_LIMIT,
  START_MS,
  segmentKey,
  segmentRecord,
  statuses,
  withPayload,
} from './samples.ts';

const HOUR_MS = 3_600_000;
/** 3 s of a segment of 4 s belong to the hour in which it begins. */
const LATE_MS = START_MS + HOUR_MS - 3000;
const KINDS: FileSinkSpec['kinds'] = ['segment'];

function makeSink(context: TestContext, formats: FileSinkSpec['formats']) {
  const root = mkdtempSync(join(tmpdir(), 'sightline-recorded-'));
  context.after(() => rmSync(root, { recursive: true, force: true }));
  const spec = { id: 'files', type: 'file', dir: 'unused', formats, kinds: KINDS };
  const sink = new FileSink({ ...checkValue(spec, FileSinkSpec), maxWaitMs: 0 }, { root });
  context.after(() => sink.close());
  const files = () =>
    readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(root, join(entry.parentPath, entry.name)))
      .sort();
  return { root, sink, files };
}

function jsonLines(path: string): Record<string, unknown>[] {
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

async function parquetRows(path: string): Promise<Record<string, unknown>[]> {
  return parquetReadObjects({ file: await asyncBufferFromFile(path) });
}

test('a recorded segment is a line, and each frame one in the hour of its capture', async (context) => {
  const { root, sink, files } = makeSink(context, ['ndjson', 'protobuf']);
  const record = segmentRecord({ frames: 120, atMs: LATE_MS });
  assert.deepEqual(statuses(await sink.deliver([record], NO_LIMIT)), ['accepted']);
  const day = 'cam-1/2026-01-31';
  assert.deepEqual(
    files(),
    ['13-0001.frames.ndjson', '13-0001.segments.ndjson', '13-0001.segments.pb']
      .concat('14-0001.frames.ndjson')
      .map((name) => `${day}/${name}`),
  );
  const [segment, ...others] = jsonLines(join(root, day, '13-0001.segments.ndjson'));
  const key = segmentKey(LATE_MS);
  assert.deepEqual(others, []);
  assert.deepEqual(segment, {
    ...{ timestamp: new Date(LATE_MS).toISOString(), timestamp_ms: LATE_MS, camera_id: 'cam-1' },
    ...{ capture_clock: 'rtcp_sender_report', duration_ns: 4_000_000_000, segment_key: key },
    ...{ content_type: 'video/mp4', codec: 'h264', size_bytes: 601_000, sha256: 'ab'.repeat(32) },
    ...{ frames: 120, closed: true, session: 's1', epoch: 7, record_id: key },
  });
  const before = jsonLines(join(root, day, '13-0001.frames.ndjson'));
  const after = jsonLines(join(root, day, '14-0001.frames.ndjson'));
  assert.deepEqual([before.length, after.length], [91, 29]);
  const last = LATE_MS + 3999 - 33;
  assert.deepEqual(after.at(-1), {
    ...{ timestamp: new Date(last).toISOString(), timestamp_ms: last, camera_id: 'cam-1' },
    ...{ capture_clock: 'rtcp_sender_report', pts_ns: 13_966_666_627, segment_key: key },
    ...{ byte_offset: 596_000, size_bytes: 4990, key_frame: false, session: 's1' },
    ...{ frame_sequence: 219, epoch: 7, record_id: key },
  });
  assert.deepEqual(
    before.slice(0, 31).map((row) => row['key_frame']),
    Array.from({ length: 31 }, (_, index) => index % 30 === 0),
  );
});

test('Parquet has the same rows, each once, in tables beside the detections', async (context) => {
  const { root, sink, files } = makeSink(context, ['parquet']);
  const late = segmentRecord({ frames: 120, atMs: LATE_MS });
  const early = segmentRecord({ frames: 30, atMs: START_MS, seq: 2 });
  const damaged = withPayload(segmentRecord({ frames: 1, seq: 3 }), Buffer.from([0x0a, 0xff]));
  const results = await sink.deliver([late, early, damaged, late], NO_LIMIT);
  assert.deepEqual(statuses(results), ['accepted', 'accepted', 'rejected', 'accepted']);
  assert.equal(errorCode(results[2]), 'SL_SINK_REJECTED');
  await sink.close();
  const place = (hour: number) => `camera=cam-1/date=2026-01-31/hour=${hour}/part-0001.parquet`;
  assert.deepEqual(files(), [
    `frames/${place(13)}`,
    `frames/${place(14)}`,
    `segments/${place(13)}`,
  ]);
  const frames = await parquetRows(join(root, 'frames', place(13)));
  assert.equal(frames.length, 91 + 30);
  assert.deepEqual(frames[91], {
    ...{ camera_id: 'cam-1', timestamp: new Date(START_MS), capture_clock: 'rtcp_sender_report' },
    ...{ pts_ns: 10_000_000_000n, segment_key: segmentKey(), byte_offset: 1000n },
    ...{ size_bytes: 4990n, key_frame: true, session: 's1', frame_sequence: 100n, epoch: 7n },
    record_id: segmentKey(),
  });
  assert.equal((await parquetRows(join(root, 'frames', place(14)))).length, 29);
  const segments = await parquetRows(join(root, 'segments', place(13)));
  assert.deepEqual(
    segments.map(({ segment_key: key, frames: count }) => [key, count]),
    [
      [segmentKey(LATE_MS), 120],
      [segmentKey(), 30],
    ],
  );
});

test('a long segment is cut for sinks with small records, and shares the fate of its pieces', () => {
  const long = segmentRecord({ frames: 1200 });
  const short = segmentRecord({ frames: 5, seq: 2 });
  const rows = cutByFrames([short, long], 500);
  const parts = rows.records.map(({ payload }) => decodeSegment(payload));
  assert.deepEqual(
    parts.map(({ frames, recordId }) => [frames.length, recordId]),
    [5, 500, 500, 200].map((length) => [length, segmentKey()]),
  );
  const error = new Error('refused');
  const accepted = { status: 'accepted' } as const;
  const retry = { status: 'retry', error } as const;
  const rejected = { status: 'rejected', error } as const;
  const fates = (...results: Parameters<typeof rows.join>[0][number][]) =>
    statuses(rows.join(results));
  assert.deepEqual(fates(accepted, accepted, accepted, accepted), ['accepted', 'accepted']);
  assert.deepEqual(fates(accepted, accepted, retry, rejected), ['accepted', 'retry']);
  assert.deepEqual(fates(retry, accepted, rejected, accepted), ['retry', 'rejected']);

  const messages = cutByBytes([short, long], 10_000).records;
  assert.ok(messages.every(({ payload }) => payload.byteLength <= 10_000));
  const cut = messages.slice(1).map(({ payload }) => decodeSegment(payload));
  const ids = cut.map(({ recordId }) => recordId);
  assert.equal(new Set(ids).size, ids.length);
  assert.equal(ids[0], `${segmentKey()}#100`);
  const sequences = cut.flatMap(({ frames }) => frames.map((frame) => Number(frame.frameSequence)));
  assert.deepEqual(
    sequences,
    Array.from({ length: 1200 }, (_, index) => 100 + index),
  );
});
