import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import type { RecordedSegment } from '../../src/api/schemas.ts';
import { readFileTruth } from '../../src/ground-truth/file.ts';
import { type Observation, reportStreams } from '../../src/ground-truth/report.ts';
import { s3Error, TestAws } from '../../test/sinks/aws-proxy.ts';
import { startCamera } from '../../test/support/camera.ts';
import { fileConfig } from '../../test/support/config.ts';
import { TestServer, temporaryFolder } from '../../test/support/server.ts';
import { until } from '../../test/support/wait.ts';
import {
  figuresOf,
  growth,
  type ProcessFigures,
  print as printFigures,
  type Soak,
} from './report.ts';

const CAMERAS = 10;
const FPS = 30;
/** Of the whole run; S3 refuses in the middle. */
const REFUSED_SHARE = 0.3;
const SEGMENT_S = 10;
const LIVE_MS = 60_000;
const DRAIN_MS = 120_000;
/** What 10 cameras leave in five minutes is a fifth of it. */
const MAX_LOCAL_BYTES = 512 * 1024 * 1024;
const BUCKET = 'raw-data';

/**
 * Ten cameras that number their frames are recorded to S3 while nobody infers, and S3 refuses everything for three minutes of
 * ten. No frame is lost, every segment arrives, the disk holds no more than what waits, and no watchdog says a word.
 */
export const recording: Soak = async ({ minutes, print }) => {
  await using folder = await temporaryFolder();
  let end = (): unknown => undefined;
  await using _emulator = { [Symbol.asyncDispose]: async () => void (await end()) };
  const aws = await TestAws.start({
    after: (work) => {
      end = work;
    },
  });
  aws.server.createBucket(BUCKET);
  const clip = await makeClip(folder.path);
  await using camera = await startCamera({ args: ['--clip', clip, '--count', String(CAMERAS)] });
  const ids = Array.from({ length: CAMERAS }, (_, index) => `cam-${index + 1}`);
  const dir = join(folder.path, 'recordings');
  await mkdir(dir);
  await using server = await TestServer.start(folder.path, config(folder.path, dir), {}, 'receive');

  function config(path: string, local: string): object {
    const s3 = { type: 's3', bucket: BUCKET, ...aws.client };
    return fileConfig(path, {
      defaults: {},
      recording: { dir: local, store: s3, bounds: { maxBytes: MAX_LOCAL_BYTES } },
      pipelines: [
        {
          id: 'gate',
          record: { segmentSeconds: SEGMENT_S },
          images: { everyMs: 1000, when: 'always' },
          streams: ids.map((id, index) => ({
            id,
            source: { type: 'rtsp', url: camera.url.replace(/\d+$/, String(index + 1)) },
          })),
        },
      ],
      sinks: [{ id: 'pictures', ...s3, prefix: 'pictures/' }],
    });
  }

  for (const id of ids) await server.streamIn(id, ['live'], LIVE_MS);
  print(`${CAMERAS} cameras live; ${minutes} minutes, S3 refuses for ${minutes * REFUSED_SHARE}`);
  const samples: ProcessFigures[] = [];
  let peakBytes = 0;
  let refused = 0;
  const started = performance.now();
  for (let share = 0; share < 1; share = (performance.now() - started) / (minutes * 60_000)) {
    const isRefusing = Math.abs(share - 0.5) < REFUSED_SHARE / 2;
    aws.rule = () => {
      if (!isRefusing) return undefined;
      refused++;
      return s3Error('SlowDown', 503);
    };
    await delay(1000);
    peakBytes = Math.max(peakBytes, bytesBelow(dir));
    samples.push(figuresOf(server.pid));
    // What it saw, bodies and all, is not needed.
    aws.seen.length = 0;
  }
  await camera.kill();
  aws.rule = () => undefined;
  const rows = await until('every segment is in the store', DRAIN_MS, async () => {
    const all = (await Promise.all(ids.map((id) => segments(server, id)))).flat();
    return all.every(({ state }) => state === 'stored') && all;
  });
  print(`${rows.length} segments stored, ${refused} requests refused`);

  const lines = await truthOfBucket(aws, folder.path);
  let lost = 0;
  for (const report of lines) {
    const { stream, received, duplicated, reordered } = report;
    lost += report.lost;
    const least = (minutes * 60 - 5) * FPS;
    assert.ok(received >= least, `stream ${stream}: ${received} frames of ${least}`);
    assert.deepEqual([duplicated, reordered], [0, 0], `stream ${stream}`);
  }
  const total = lines.reduce((sum, { received }) => sum + received, 0);
  print(`${total} frames of ${lines.length} streams: ${lost} lost, none twice or out of order`);
  const left = bytesBelow(dir);
  print(`on the disk at most ${mib(peakBytes)} MiB, ${mib(left)} in the end`);
  const { first, last } = growth(samples);
  print(`server: ${printFigures(first)}; at the end ${printFigures(last)}`);
  const said = server.logs.filter(({ msg }) => QUIET.test(msg)).map(({ msg }) => msg);
  print(`of disks and watchdogs: ${said.length === 0 ? 'nothing' : said.join(', ')}`);

  assert.equal(lines.length, CAMERAS);
  assert.equal(lost, 0);
  assert.ok(refused > 0, 'nothing was refused');
  assert.ok(peakBytes < MAX_LOCAL_BYTES, `${peakBytes} bytes on the disk`);
  assert.ok(left < peakBytes / 10, `${left} bytes stay on the disk`);
  assert.deepEqual(said, []);
};

/** What is said when a file is given up, a disk takes nothing, or no byte is written. */
const QUIET = /^(stream\.stalled|recording\.(shed|lost|repaired|rejected|incomplete|untold))$/;

async function makeClip(folder: string): Promise<string> {
  const clip = join(folder, 'clip.mp4');
  await promisify(execFile)('gst-launch-1.0', [
    ...['-q', 'videotestsrc', 'pattern=ball', `num-buffers=${10 * FPS}`, '!'],
    ...[`video/x-raw,width=320,height=180,framerate=${FPS}/1`, '!', 'x264enc', 'bframes=0'],
    ...[`key-int-max=${2 * FPS}`, '!', 'h264parse', '!', 'mp4mux', '!', 'filesink'],
    `location=${clip}`,
  ]);
  return clip;
}

async function segments(server: TestServer, id: string): Promise<readonly RecordedSegment[]> {
  const all: RecordedSegment[] = [];
  for (let cursor: string | undefined; ; ) {
    const path = `/v1/recordings?stream=${id}&limit=200${cursor ? `&cursor=${cursor}` : ''}`;
    const page = await server.json<{ items: RecordedSegment[]; next?: string }>(path);
    all.push(...page.items);
    cursor = page.next;
    if (cursor === undefined) return all;
  }
}

/** What the frames in the store say of themselves, by streams. */
async function truthOfBucket(aws: TestAws, folder: string) {
  const s3 = new S3Client({ ...aws.client, forcePathStyle: true });
  const observations: Observation[] = [];
  const file = join(folder, 'segment.mp4');
  for (let token: string | undefined; ; ) {
    const page = await s3.send(
      new ListObjectsV2Command({ Bucket: BUCKET, ...(token && { ContinuationToken: token }) }),
    );
    for (const { Key = '' } of page.Contents ?? []) {
      if (!basename(Key).endsWith('.mp4')) continue;
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key }));
      await writeFile(file, await Body!.transformToByteArray());
      const { truths, unmarked } = await readFileTruth(file);
      assert.equal(unmarked, 0, Key);
      observations.push(...truths.map((truth) => ({ truth })));
    }
    token = page.NextContinuationToken;
    if (token === undefined) break;
  }
  s3.destroy();
  return reportStreams(observations);
}

function bytesBelow(folder: string): number {
  let sum = 0;
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const found = statSync(join(folder, name), { throwIfNoEntry: false });
    if (found?.isFile() === true) sum += found.size;
  }
  return sum;
}

function mib(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(1);
}
