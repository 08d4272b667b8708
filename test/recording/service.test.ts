import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { decodeSegment } from '../../src/metadata/segment.ts';
import { S3SegmentStore } from '../../src/recording/stores/s3.ts';
import { s3Error, TestAws } from '../sinks/aws-proxy.ts';
import { temporaryFolder } from '../support/server.ts';
import { until } from '../support/wait.ts';
import {
  FRAMES,
  framesOf,
  isAccessUnit,
  makeMatroska,
  makeMp4,
  openRecording,
  SESSION,
  START_MS,
  sha256,
  shownTimes,
  type TestRecording,
  unitSizes,
  writeSegment,
} from './recorded.ts';

const LIMIT_MS = 15_000;
let mp4: Buffer;
/** The same format at another bit rate. */
let other: Buffer;

before(async () => {
  await using folder = await temporaryFolder();
  mp4 = await makeMp4(folder.path);
  other = await makeMp4(folder.path, 'smpte');
});

const window = { streamId: 'cam', fromMs: START_MS - 1000, toMs: START_MS + 3_600_000 };
const START = { startMs: Number.MIN_SAFE_INTEGER, id: 0 };

function rows({ service }: TestRecording) {
  return service.segments(window, START, 1000);
}

function inState(recording: TestRecording, state: string, count: number) {
  return until(`${count} segments are ${state}`, LIMIT_MS, () => {
    const found = rows(recording).filter((row) => row.state === state);
    return found.length === count && found;
  });
}

async function bytesOf(body: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

test('a closed segment is indexed, told, stored under its key, and leaves the disk', async (t) => {
  const recording = await openRecording(t);
  const stem = await writeSegment(recording.dir, 'cam', { mp4 });
  const [row] = await inState(recording, 'stored', 1);
  const key = `cam/2026/01/31/13/20260131T130000.000Z-${SESSION}.mp4`;
  assert.equal(row!.key, key);
  assert.equal(row!.frames, FRAMES);
  assert.equal(row!.codec, 'h264');
  assert.equal(row!.endMs, START_MS + 4000);
  const stored = await readFile(join(recording.folder, 'store', key));
  assert.ok(stored.equals(mp4));
  await until('the local files are gone', LIMIT_MS, () => {
    return !existsSync(`${stem}.mp4`) && !existsSync(`${stem}.notes`);
  });

  const segment = decodeSegment(recording.records[0]!.payload);
  assert.equal(recording.records[0]!.kind, 'segment');
  assert.equal(segment.recordId, key);
  assert.equal(segment.sensorId, 'sensor-cam');
  assert.equal(segment.sha256, sha256(mp4));
  assert.equal(String(segment.epoch), '7');
  assert.equal(String(segment.durationNs), '4000000000');
  assert.equal(segment.closed, true);
  assert.equal(segment.frames.length, FRAMES);
  for (const [index, frame] of segment.frames.entries()) {
    assert.equal(String(frame.frameSequence), String(index));
    assert.equal(String(frame.captureNs), String(BigInt(START_MS + index * 100) * 1_000_000n));
    assert.ok(isAccessUnit(mp4, Number(frame.byteOffset), frame.sizeBytes!));
    assert.equal(frame.keyFrame, index % 10 === 0);
  }
});

test('a file that its writer left is cut to its last whole fragment; one without any is lost and told', async (t) => {
  const recording = await openRecording(t);
  await recording.service.close();
  const openBytes = Math.floor(mp4.length * 0.7);
  await writeSegment(recording.dir, 'cam', { mp4, openBytes });
  await writeSegment(recording.dir, 'cam', { mp4, number: 1, openBytes: 200 });
  const again = await recording.reopen();
  const [kept] = await inState(again, 'stored', 1);
  const [lost] = await inState(again, 'lost', 1);
  assert.equal(kept!.whole, false);
  assert.ok(kept!.frames === 20 || kept!.frames === 30, String(kept!.frames));
  assert.equal(kept!.lost, FRAMES - kept!.frames);
  assert.equal(lost!.lost, FRAMES);
  const stored = await readFile(join(again.folder, 'store', kept!.key!));
  assert.ok(stored.equals(mp4.subarray(0, kept!.bytes)));
  assert.equal((await unitSizes(stored)).length, kept!.frames);
  const segment = decodeSegment(again.records[0]!.payload);
  assert.equal(segment.closed, false);
  const told = again.events.map(({ type }) => type);
  assert.deepEqual(told.sort(), ['recording.lost', 'recording.repaired']);
});

test('Matroska is indexed, told and stored as MP4 is, and cut to its last whole frame', async (t) => {
  const recording = await openRecording(t, { keepLocalMs: 3_600_000 });
  const matroska = await makeMatroska(recording.folder);
  await recording.service.close();
  await writeSegment(recording.dir, 'cam', { mp4, matroska });
  const openBytes = Math.floor(matroska.length * 0.7);
  await writeSegment(recording.dir, 'cam', { mp4, matroska, number: 1, openBytes });
  const again = await recording.reopen();
  const [whole, torn] = await inState(again, 'stored', 2);
  assert.match(whole!.key!, /^cam\/2026\/01\/31\/13\/.*\.mkv$/);
  assert.deepEqual([whole!.codec, whole!.frames, whole!.lost], ['h264', FRAMES, 0]);
  assert.ok(torn!.frames > FRAMES / 2 && torn!.frames < FRAMES, String(torn!.frames));
  assert.equal(torn!.lost, FRAMES - torn!.frames);
  for (const { payload } of again.records) {
    const { frames, contentType } = decodeSegment(payload);
    assert.equal(contentType, 'video/matroska');
    for (const [index, frame] of frames.entries()) {
      assert.ok(isAccessUnit(matroska, Number(frame.byteOffset), frame.sizeBytes!), `${index}`);
      assert.equal(frame.keyFrame, index % 10 === 0);
    }
  }
  // Cut behind a frame, and what is left can be played: another reader finds as many frames in it.
  const stored = join(again.folder, 'store', torn!.key!);
  assert.equal((await readFile(stored)).length, torn!.bytes);
  assert.equal(await framesOf(stored), torn!.frames);
  const clips = await again.service.clips.find('cam', START_MS + 1100, START_MS + 1200);
  assert.deepEqual(
    clips.map(({ fromMs, toMs }) => [fromMs, toMs]),
    [[START_MS + 1000, START_MS + 2000]],
  );
  // Both as one MP4, the whole one and what is left of the other.
  const clip = await again.service.clip({ ...window, fromMs: START_MS + 2000 });
  const file = join(again.folder, 'clip.mp4');
  await writeFile(file, await bytesOf(clip.body));
  const shown = await shownTimes(file);
  assert.equal(shown.length, whole!.frames - 20 + torn!.frames);
  assert.deepEqual(
    shown,
    shown.map((_, index) => index * 100),
  );
});

/** Key frames every two seconds, fragments of one; two frames in a row are coded behind the one that is shown after them. */
const CODED = { keyFrameEvery: 20, bframes: 2 };

for (const container of ['mp4', 'matroska'] as const) {
  test(`a clip of ${container} begins with the key frame before its time, and its frames are shown in order`, async (t) => {
    const recording = await openRecording(t, { keepLocalMs: 3_600_000 });
    const coded = await makeMp4(recording.folder, 'ball', CODED);
    const matroska = await makeMatroska(recording.folder, CODED);
    const files = { mp4: coded, ...(container === 'mp4' ? {} : { matroska }) };
    await writeSegment(recording.dir, 'cam', files);
    await writeSegment(recording.dir, 'cam', { ...files, number: 1 });
    await inState(recording, 'stored', 2);
    const [part] = await recording.service.clips.find('cam', START_MS + 3400, START_MS + 3500);
    assert.equal(part!.fromMs, START_MS + 2000);
    const clip = await recording.service.clip({ ...window, fromMs: START_MS + 3500 });
    const file = join(recording.folder, 'clip.mp4');
    await writeFile(file, await bytesOf(clip.body));
    const shown = await shownTimes(file);
    assert.equal(shown.length, FRAMES / 2 + FRAMES, 'all of them can be decoded');
    const steps = shown.slice(1).map((ms, index) => ms - shown[index]!);
    // mp4mux, which made the file, writes no edit list into fragments: what it begins with is shown later.
    assert.ok(
      steps.every((ms) => ms > 0 && (container === 'mp4' || ms === 100)),
      String(steps),
    );
  });
}

test('an open segment is listed, and closed when its file gets its name', async (t) => {
  const recording = await openRecording(t);
  const stem = await writeSegment(recording.dir, 'cam', { mp4, openBytes: mp4.length - 500 });
  await inState(recording, 'open', 1);
  const clips = await recording.service.clips.find('cam', START_MS + 1100, START_MS + 1200);
  assert.equal(clips.length, 1);
  assert.equal(clips[0]!.fromMs, START_MS + 1000);
  assert.equal(clips[0]!.toMs, START_MS + 2000);
  await writeFile(`${stem}.mp4.part`, mp4);
  await rename(`${stem}.mp4.part`, `${stem}.mp4`);
  const [row] = await inState(recording, 'stored', 1);
  assert.equal(row!.key, clips[0]!.key);
});

test('S3 that refuses for a while gets every segment later, once and unchanged', async (t) => {
  const aws = await TestAws.start(t);
  aws.server.createBucket('raw-data');
  const store = new S3SegmentStore({ bucket: 'raw-data', prefix: 'camera/', ...aws.client }, 4);
  const recording = await openRecording(t, { store });
  let refused = 0;
  aws.rule = () => {
    refused += 1;
    return s3Error('SlowDown', 503);
  };
  const big = Buffer.concat([mp4, padding(18 * 1024 * 1024)]);
  await writeSegment(recording.dir, 'cam', { mp4: big });
  await writeSegment(recording.dir, 'cam', { mp4, number: 1 });
  const failing = await until('it was refused', LIMIT_MS, () => {
    const figures = recording.service.figures();
    return refused >= 2 && figures.pendingSegments === 2 && figures.error && figures;
  });
  assert.equal(failing.pendingBytes, big.length + mp4.length);
  assert.equal(failing.error?.code, 'SL_SINK_THROTTLED');
  aws.rule = () => undefined;
  const stored = await inState(recording, 'stored', 2);
  const client = new S3Client({ ...aws.client, forcePathStyle: true });
  t.after(() => client.destroy());
  for (const [at, row] of stored.entries()) {
    const Key = `camera/${row.key}`;
    const object = await client.send(new GetObjectCommand({ Bucket: 'raw-data', Key }));
    const bytes = Buffer.from(await object.Body!.transformToByteArray());
    assert.equal(sha256(bytes), sha256(at === 0 ? big : mp4));
    assert.equal(object.ContentType, 'video/mp4');
  }
  const puts = aws.seen.filter(
    ({ method, path }) => method === 'PUT' && !path.includes('partNumber'),
  );
  assert.ok(puts.every(({ headers }) => headers['if-none-match'] === '*'));
  assert.deepEqual(
    recording.events.map(({ type }) => type),
    ['recording.store_failing', 'recording.store_recovered'],
  );
  // A clip of what is no longer here comes from the bucket, in ranges.
  await until('the local files are gone', LIMIT_MS, () =>
    rows(recording).every(({ local }) => !local),
  );
  const clip = await recording.service.clip({
    streamId: 'cam',
    fromMs: START_MS + 3500,
    toMs: START_MS + 5500,
  });
  const cut = await bytesOf(clip.body);
  assert.equal(cut.length, clip.bytes);
  // A second before and after the border of the segments, and the rest of their fragments.
  assert.equal((await unitSizes(cut)).length, 30);
});

test('a clip over two segments is one MP4 whose time goes on', async (t) => {
  const recording = await openRecording(t, { keepLocalMs: 3_600_000 });
  await writeSegment(recording.dir, 'cam', { mp4 });
  await writeSegment(recording.dir, 'cam', { mp4: other, number: 1 });
  await inState(recording, 'stored', 2);
  const clip = await recording.service.clip({ ...window, fromMs: START_MS + 2000 });
  const cut = await bytesOf(clip.body);
  const times: number[] = [];
  const { openMovie } = await import('../../src/recording/mp4/fragments.ts');
  const movie = await openMovie({
    size: cut.length,
    read: async (start, length) => cut.subarray(start, start + length),
  });
  for await (const { decodeTime, samples } of movie!.fragments()) {
    times.push(decodeTime / movie!.track.timescale);
    assert.ok(samples.every(({ offset, size }) => isAccessUnit(cut, offset, size)));
  }
  assert.deepEqual(times, [0, 1, 2, 3, 4, 5]);
  await assert.rejects(recording.service.clip({ ...window, streamId: 'other' }), {
    code: 'SL_NOT_FOUND',
  });
});

test('the gap report names times without frames and counts missing numbers', async (t) => {
  const recording = await openRecording(t);
  await writeSegment(recording.dir, 'cam', { mp4 });
  // 6 s are missing, and ten numbers.
  const startMs = START_MS + 10_000;
  await writeSegment(recording.dir, 'cam', { mp4, number: 1, startMs, firstSequence: FRAMES + 10 });
  await inState(recording, 'stored', 2);
  const report = await recording.service.gaps('cam', '2026-01-31');
  assert.equal(report.from, '2026-01-31T13:00:00.000Z');
  assert.equal(report.frames, 2 * FRAMES);
  assert.equal(report.framesMissing, 10);
  assert.deepEqual(report.gaps[0], {
    from: '2026-01-31T13:00:04.000Z',
    to: '2026-01-31T13:00:10.000Z',
    seconds: 6,
  });
  assert.equal(report.gaps.at(-1)!.to, report.to);
  await assert.rejects(recording.service.gaps('cam', '2026-01-30'), { code: 'SL_NOT_FOUND' });
});

test('beyond the bounds stored files go first, then the oldest that wait: counted and told', async (t) => {
  const aws = await TestAws.start(t);
  const store = new S3SegmentStore({ bucket: 'not-there', prefix: '', ...aws.client }, 2);
  const bounds = { maxBytes: 2.5 * mp4.length, maxAgeMs: 1e13, minFreeBytes: 0, minFreePercent: 0 };
  const recording = await openRecording(t, { store, bounds });
  for (const number of [0, 1]) await writeSegment(recording.dir, 'cam', { mp4, number });
  // What is on its way to the store is not given up: from now on they wait.
  await until('both were refused', LIMIT_MS, () => {
    const { uploading, retries } = recording.service.figures();
    return uploading === 0 && retries >= 2;
  });
  for (const number of [2, 3]) await writeSegment(recording.dir, 'cam', { mp4, number });
  const shed = await inState(recording, 'shed', 2);
  // One that is on its way at that moment is passed over.
  assert.ok(
    shed.every(({ number }) => number < 3),
    'not the newest',
  );
  // Each is told of together with those that went in the same round.
  const told = await until('both are told', LIMIT_MS, () => {
    const events = recording.events.filter(({ type }) => type === 'recording.shed');
    return events.reduce((sum, { facts }) => sum + Number(facts['segments']), 0) >= 2 && events;
  });
  const counts = recording.service.figures().streams.get('cam')!;
  assert.deepEqual([counts.shed, counts.shedFrames, counts.segments], [2, 2 * FRAMES, 4]);
  assert.equal(
    told.reduce((sum, { facts }) => sum + Number(facts['frames']), 0),
    2 * FRAMES,
  );
  assert.ok((await recording.service.gaps('cam', '2026-01-31')).framesShed === 2 * FRAMES);
});

test('after a crash what was told is not told anew, and what was not is', async (t) => {
  const recording = await openRecording(t, { keepLocalMs: 3_600_000 });
  const stem = await writeSegment(recording.dir, 'cam', { mp4 });
  await inState(recording, 'stored', 1);
  const again = await recording.reopen();
  await writeSegment(again.dir, 'cam', { mp4, number: 1 });
  await inState(again, 'stored', 2);
  assert.equal(again.records.length, 1);
  // A catalogue that is lost is made anew from the files.
  await again.service.close();
  for (const suffix of ['', '-wal', '-shm']) {
    await rm(join(again.folder, `recordings.sqlite${suffix}`), { force: true });
  }
  const third = await again.reopen();
  await inState(third, 'stored', 2);
  assert.ok(existsSync(`${stem}.mp4`));
  await truncate(`${stem}.mp4`, 100).catch(() => undefined);
});

function padding(bytes: number): Buffer {
  const box = Buffer.alloc(bytes);
  box.writeUInt32BE(bytes, 0);
  box.write('free', 4, 'latin1');
  return box;
}
