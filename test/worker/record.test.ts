import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkValue } from '../../src/common/check.ts';
import {
  readNotes,
  type SegmentClosedEvent,
  type SegmentEvent,
  type SegmentNotes,
} from '../../src/common/segments.ts';
import { decodeImage } from '../../src/metadata/image.ts';
import { lowerCpu } from '../../src/pipeline/backends/cpu.ts';
import type { Graph } from '../../src/pipeline/graph.ts';
import { resolve } from '../../src/pipeline/resolve.ts';
import { StreamSpec } from '../../src/pipeline/spec.ts';
import type { StatsEvent } from '../../src/worker/protocol.ts';
import { startCamera } from '../support/camera.ts';
import { samplesOf } from '../support/mp4-samples.ts';
import { until } from '../support/wait.ts';
import { WorkerHarness } from './worker-harness.ts';

async function recordDir(t: { after(fn: () => Promise<void>): void }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sightline-record-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A stream as the server would run it; the camera plays its clip three times as fast. */
function recorded(id: string, url: string, dir: string, more: object = {}): Graph {
  const spec = checkValue(
    { id, source: { type: 'rtsp', url }, record: { segmentSeconds: 1, fragmentMs: 500 }, ...more },
    StreamSpec,
  );
  const pipeline = resolve(spec, { models: new Map() });
  const options = { onnxRuntimeLibrary: '', cores: 1, filesDir: dir, recordDir: dir };
  return lowerCpu(pipeline, options).graphs[0]!;
}

function segments(worker: WorkerHarness): readonly SegmentEvent[] {
  return worker.events.filter((event): event is SegmentEvent => /^segment-/.test(event.event));
}

function closedOf(worker: WorkerHarness): readonly SegmentClosedEvent[] {
  return segments(worker).filter(
    (event): event is SegmentClosedEvent => event.event === 'segment-closed',
  );
}

async function notesOf(path: string): Promise<SegmentNotes> {
  const notes = readNotes(await readFile(path));
  assert.ok(notes !== undefined, path);
  return notes;
}

test('a camera is recorded in files that begin with key frames, with a note of every frame', async (t) => {
  const dir = await recordDir(t);
  await using camera = await startCamera({ args: ['--fps', '30'] });
  await using worker = await WorkerHarness.launch();
  const images = { when: 'key-frames', everyMs: 20, maxWidth: 320, models: ['a', 'b'] };
  const graphs = [
    { ...recorded('plain', camera.url, dir), epoch: '7' },
    recorded('pictures', camera.url, dir, { images, sensorId: 'gate' }),
  ];
  await worker.start(graphs);
  await worker.phase('plain', 'live');
  await until('two files of both', 20_000, () =>
    ['plain', 'pictures'].every(
      (id) => closedOf(worker).filter(({ streamId }) => streamId === id).length >= 2,
    ),
  );
  await worker.request('stop', { drainMs: 3_000 });
  await worker.exited(5_000);
  const closed = closedOf(worker).filter(({ streamId }) => streamId === 'plain');
  // What came before the first key frame is in no file.
  const first = (await notesOf(closed[0]!.notesPath)).frames[0]!.frameSequence;
  let next = first;
  for (const [index, segment] of closed.entries()) {
    assert.equal(segment.number, index);
    assert.equal(segment.codec, 'h264');
    assert.equal(segment.path, join(dir, 'plain', `${segment.session}-00000${index}.mp4`));
    const { frames, epoch } = await notesOf(segment.notesPath);
    assert.equal(epoch, 7n);
    assert.ok(frames[0]!.keyFrame);
    assert.equal(frames[0]!.ptsNs, BigInt(segment.firstPtsNs));
    assert.equal(frames.length, segment.frames);
    for (const { frameSequence } of frames) assert.equal(frameSequence, next++);
    const file = await readFile(segment.path);
    assert.equal(file.length, segment.bytes);
    const sizes = samplesOf(file);
    assert.deepEqual(
      sizes,
      frames.map(({ sizeBytes }) => sizeBytes),
    );
  }
  const last = worker.events.findLast((event): event is StatsEvent => event.event === 'stats')!;
  const { framesRecorded, framesUnrecorded, framesDecoded, recordedBytes } = last.streams['plain']!;
  assert.equal(BigInt(framesRecorded!), next - first);
  assert.deepEqual([framesUnrecorded, framesDecoded], [Number(first), 0]);
  assert.ok(recordedBytes! >= closed.reduce((sum, { bytes }) => sum + bytes, 0));
  assert.deepEqual(
    (await readdir(join(dir, 'plain'))).filter((name) => name.endsWith('.part')),
    [],
    'the last file is closed too',
  );

  // Key frames alone were decoded, and each became a small picture.
  const pictures = worker.records.map(({ payload }) => decodeImage(payload));
  const keys = closedOf(worker).filter(({ streamId }) => streamId === 'pictures').length;
  assert.ok(pictures.length >= keys, `${pictures.length} pictures, ${keys} files`);
  assert.ok(pictures.every(({ width }) => width === 320));
  assert.ok(last.streams['pictures']!.framesDecoded < last.streams['pictures']!.framesArrived / 5);
});

test('a kill -9 loses one fragment at most', async (t) => {
  const dir = await recordDir(t);
  await using camera = await startCamera({ args: ['--fps', '30'] });
  await using worker = await WorkerHarness.launch();
  const record = { segmentSeconds: 60, fragmentMs: 500 };
  await worker.start([recorded('cam', camera.url, dir, { record })]);
  const opened = await until('a file', 10_000, () => segments(worker)[0]);
  const part = `${opened.path}.part`;
  const written = async () => samplesOf(await readFile(part)).length;
  await until('some fragments', 10_000, async () => (await written()) >= 60);
  worker.child.kill('SIGKILL');
  await worker.exited(2_000);
  const { frames } = await notesOf(opened.notesPath);
  const sizes = samplesOf(await readFile(part));
  assert.deepEqual(
    sizes,
    frames.slice(0, sizes.length).map(({ sizeBytes }) => sizeBytes),
  );
  // Half a second at 30 a second, and the picture that ends the fragment.
  assert.ok(frames.length - sizes.length <= 16, `${frames.length} noted, ${sizes.length} whole`);
});

test('a folder that takes no file costs the recording alone, which begins when it does', async (t) => {
  const dir = await recordDir(t);
  await writeFile(join(dir, 'cam'), 'in the way');
  await using camera = await startCamera({ args: ['--fps', '30'] });
  await using worker = await WorkerHarness.launch();
  const images = { when: 'always', everyMs: 200 };
  await worker.start([recorded('cam', camera.url, dir, { images })]);
  await worker.phase('cam', 'live');
  const degraded = await worker.phase('cam', 'degraded');
  assert.equal(degraded.code, 'SL_STREAM_DEGRADED');
  assert.match(degraded.message ?? '', /Nothing is recorded: Cannot make .*Not a directory/);
  await until('pictures all the same', 5_000, () => worker.records.length >= 3);
  await rm(join(dir, 'cam'));
  await mkdir(join(dir, 'cam'));
  await until('a file', 15_000, () => closedOf(worker).length > 0);
  await until('well again', 5_000, () => worker.phases('cam').at(-1)?.phase === 'live');
  const stats = worker.events.findLast((event): event is StatsEvent => event.event === 'stats')!;
  assert.ok(stats.streams['cam']!.framesUnrecorded! > 0, 'what was missed is counted');
});
