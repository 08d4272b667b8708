import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import type { GapReport, RecordedSegment } from '../../src/api/schemas.ts';
import type { WorkerView } from '../../src/control/types.ts';
import { readFileTruth } from '../../src/ground-truth/file.ts';
import { reportStreams } from '../../src/ground-truth/report.ts';
import { shownTimes } from '../recording/recorded.ts';
import { startCamera } from '../support/camera.ts';
import { fileConfig } from '../support/config.ts';
import { isAlive } from '../support/processes.ts';
import { TestServer, temporaryFolder } from '../support/server.ts';
import { until } from '../support/wait.ts';

const LIMIT_MS = 20_000;
const FPS = 20;
const FRAGMENT_MS = 500;
/** Frames of a fragment: it ends with the first one after its time. */
const FRAGMENT_FRAMES = (FPS * FRAGMENT_MS) / 1000 + 1;
/** Times without frames that are shorter are no gaps. */
const SHORTEST_GAP_MS = 2000;

/** Two seconds with a key frame every half. */
async function makeClip(folder: string): Promise<string> {
  const clip = join(folder, 'clip.mp4');
  await promisify(execFile)('gst-launch-1.0', [
    ...['-q', 'videotestsrc', `num-buffers=${2 * FPS}`, '!'],
    ...[`video/x-raw,width=160,height=120,framerate=${FPS}/1`, '!', 'x264enc', 'bframes=0'],
    ...[`key-int-max=${FPS / 2}`, '!', 'h264parse', '!', 'mp4mux', '!', 'filesink'],
    `location=${clip}`,
  ]);
  return clip;
}

function filesBelow(folder: string, suffix: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(suffix))
    .sort()
    .map((name) => join(folder, name));
}

/** Records into `store`, tells and samples into `out`. */
function startReceiver(folder: string, url: string, container = 'mp4'): Promise<TestServer> {
  const config = fileConfig(folder, {
    defaults: {},
    heartbeatMs: 1000,
    recording: { store: { type: 'folder', dir: join(folder, 'store') } },
    pipelines: [
      {
        id: 'gate',
        record: { segmentSeconds: 1, fragmentMs: FRAGMENT_MS, container },
        images: { everyMs: 250, when: 'always' },
        streams: [{ id: 'cam', source: { type: 'rtsp', url, latencyMs: 100 } }],
      },
    ],
    sinks: [
      {
        ...{ id: 'queue', type: 'file', dir: join(folder, 'out'), maxWaitMs: 100 },
        kinds: ['image', 'event', 'segment'],
      },
    ],
  });
  return TestServer.start(folder, config, {}, 'receive');
}

async function segments(server: TestServer): Promise<readonly RecordedSegment[]> {
  const path = '/v1/recordings?stream=cam&limit=200';
  return (await server.json<{ items: RecordedSegment[] }>(path)).items;
}

/** Of a run of the stream's pipeline that is none of those. */
function storedOther(server: TestServer, sessions: ReadonlySet<string>): Promise<RecordedSegment> {
  return until(`session ${sessions.size + 1} has a segment in the store`, LIMIT_MS, async () =>
    (await segments(server)).find(
      ({ state, session }) => state === 'stored' && !sessions.has(session),
    ),
  );
}

interface StreamEvent {
  readonly type: string;
  readonly streamId?: string;
  readonly state?: string;
  readonly beat?: number;
}

function eventsIn(folder: string): StreamEvent[] {
  return filesBelow(folder, '.events.ndjson').flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as StreamEvent),
  );
}

test('a receiver that is killed, and one whose worker is, lose a fragment each and go on', async () => {
  await using folder = await temporaryFolder();
  const [store, out] = [join(folder.path, 'store'), join(folder.path, 'out')];
  const clip = await makeClip(folder.path);
  await using camera = await startCamera({ args: ['--clip', clip] });
  const start = () => startReceiver(folder.path, camera.url);
  await using first = await start();
  const sessions = new Set([(await storedOther(first, new Set())).session]);
  const workers = await first.json<{ items: WorkerView[] }>('/v1/workers');
  const { pid } = workers.items.find(({ pipelineId }) => pipelineId === 'gate')!;
  const killedMs = Date.now();
  process.kill(pid!, 'SIGKILL');
  sessions.add((await storedOther(first, sessions)).session);
  const killedAgainMs = Date.now();
  await first.killTree();
  const pictures = filesBelow(join(out, 'images'), '.jpg').length;
  await until('it was away for long enough', LIMIT_MS, () => {
    return Date.now() - killedAgainMs > SHORTEST_GAP_MS;
  });

  await using second = await start();
  sessions.add((await storedOther(second, sessions)).session);
  assert.equal(sessions.size, 3);
  await until('pictures come again', LIMIT_MS, () => {
    return filesBelow(join(out, 'images'), '.jpg').length > pictures;
  });
  const rows = await until('what was open is in the store', LIMIT_MS, async () => {
    const all = await segments(second);
    const torn = all.filter(
      ({ whole, state }) => !whole && (state === 'stored' || state === 'lost'),
    );
    return torn.length === 2 && all;
  });
  // Frames that were noted and not written, and those that nobody noted before the kill.
  for (const [index, session] of [...sessions].slice(0, 2).entries()) {
    const own = rows.filter((row) => row.session === session);
    const lost = own.reduce((sum, { framesLost }) => sum + framesLost, 0);
    assert.ok(lost <= FRAGMENT_FRAMES, `${lost} frames lost`);
    const endMs = Math.max(...own.map(({ end }) => Date.parse(end)));
    const lostMs = [killedMs, killedAgainMs][index]! - endMs;
    assert.ok(lostMs < FRAGMENT_MS + 1000, `${lostMs} ms before the kill are not there`);
  }
  const date = new Date().toISOString().slice(0, 10);
  const report = await second.json<GapReport>(`/v1/recordings/gaps?stream=cam&date=${date}`);
  const gap = report.gaps.find(({ from, to }) => {
    return Date.parse(from) <= killedAgainMs && Date.parse(to) > killedAgainMs + SHORTEST_GAP_MS;
  });
  assert.ok(gap, JSON.stringify(report));
  const asked = await second.request('POST', '/v1/streams', {
    ...{ id: 'seen', infer: { model: 'any' }, record: {} },
    source: { type: 'rtsp', url: camera.url },
  });
  const { code, detail } = (await asked.json()) as { code: string; detail: string };
  assert.deepEqual([asked.status, code], [422, 'SL_BACKEND_UNSUPPORTED'], detail);
  assert.ok(report.completeness < 1 && report.framesMissing === 0, JSON.stringify(report));

  await camera.kill();
  await until('the disconnection is told, and heartbeats go on', LIMIT_MS, () => {
    const events = eventsIn(out).filter(({ streamId }) => streamId === 'cam');
    return (
      events.some(({ type }) => type === 'stream.backoff') &&
      events.some(({ type, state }) => type === 'stream.heartbeat' && state === 'live') &&
      events.some(({ type, state }) => type === 'stream.heartbeat' && state === 'backoff')
    );
  });
  // What the store has is what the camera sent: nothing twice, nothing in another order, and lost only where something was killed.
  await second[Symbol.asyncDispose]();
  const files = filesBelow(store, '.mp4');
  const truths = (await Promise.all(files.map(readFileTruth))).flatMap((file) => file.truths);
  const [truth, ...others] = reportStreams(truths.map((one) => ({ truth: one })));
  assert.deepEqual(others, []);
  assert.deepEqual([truth!.duplicated, truth!.reordered, truth!.gaps.length], [0, 0, 2]);
});

test('a receiver that is killed alone takes its workers with it: the next one records beside nobody', async () => {
  await using folder = await temporaryFolder();
  const clip = await makeClip(folder.path);
  await using camera = await startCamera({ args: ['--clip', clip] });
  await using first = await startReceiver(folder.path, camera.url, 'matroska');
  const before = await storedOther(first, new Set());
  await until('a file is being written', LIMIT_MS, async () => {
    return (await segments(first)).some(({ state }) => state === 'open');
  });
  const processes = first.tree().map(({ pid }) => pid);
  assert.ok(processes.length > 1, 'it has a worker');
  const killedMs = Date.now();
  first.signal('SIGKILL');

  await using second = await startReceiver(folder.path, camera.url, 'matroska');
  assert.deepEqual(processes.filter(isAlive), [], 'nobody of the first one is left');
  const after = await storedOther(second, new Set([before.session]));
  const rows = await until('all of the first one is in the store', LIMIT_MS, async () => {
    const own = (await segments(second)).filter(({ session }) => session === before.session);
    return own.every(({ state }) => state === 'stored' || state === 'lost') && own;
  });
  const lost = rows.reduce((sum, { framesLost }) => sum + framesLost, 0);
  assert.ok(lost <= FRAGMENT_FRAMES, `${lost} frames lost`);
  const lostMs = killedMs - Math.max(...rows.map(({ end }) => Date.parse(end)));
  assert.ok(lostMs < FRAGMENT_MS + 1000, `${lostMs} ms before the kill are not there`);
  const open = (await segments(second)).filter(({ state }) => state === 'open');
  assert.ok(open.every(({ session }) => session === after.session));

  // All of it as one clip, Matroska as it is, what the first one left open included.
  const [from, to] = [rows[0]!.start, after.end].map(encodeURIComponent);
  const clipPath = `/v1/recordings/clip.mp4?stream=cam&from=${from}&to=${to}`;
  const file = join(folder.path, 'all.mp4');
  await writeFile(file, Buffer.from(await (await second.request('GET', clipPath)).arrayBuffer()));
  const { truths } = await readFileTruth(file);
  const [truth, ...others] = reportStreams(truths.map((one) => ({ truth: one })));
  assert.deepEqual(others, []);
  assert.deepEqual([truth!.duplicated, truth!.reordered, truth!.gaps.length], [0, 0, 1]);
  const kept = rows.reduce((sum, { frames }) => sum + frames, 0);
  assert.ok(truth!.received >= kept + after.frames, `${truth!.received} of ${kept}`);
  assert.equal((await shownTimes(file)).length, truth!.received, 'each can be decoded');
});
