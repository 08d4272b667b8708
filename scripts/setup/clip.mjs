// The demo clip: Debian's and Ubuntu's opencv-doc ship vtest.avi, 80 s of pedestrians. Only that file is taken out of
// the package, which is never installed.
import { spawn } from 'node:child_process';
import { createWriteStream, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { SetupFailure } from './failure.mjs';
import { CACHE, DEMO_CLIP } from './paths.mjs';

const PACKAGE = 'opencv-doc';
const MEMBER = '*/vtest.avi*';
const RECIPE = 2;
const DEFAULT_FPS = 25;

/** What the clip depends on. `chosen` is SIGHTLINE_DEMO_CLIP. */
export function clipFacts(chosen) {
  if (!chosen) return [RECIPE, PACKAGE];
  const file = resolve(chosen);
  try {
    const { size, mtimeMs } = statSync(file);
    return [RECIPE, file, size, mtimeMs];
  } catch {
    return [RECIPE, file, 'missing'];
  }
}

/** Writes DEMO_CLIP: H.264 in MP4, a key frame each second, no B-frames. */
export async function makeClip(chosen, task) {
  const scratch = mkdtempSync(join(tmpdir(), 'sightline-clip-'));
  try {
    const source = chosen ? resolve(chosen) : await fetchDefaultClip(scratch, task);
    await transcode(source, task);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function fetchDefaultClip(scratch, task) {
  try {
    await task.run('apt-get', ['download', '-q', PACKAGE], { cwd: scratch });
  } catch (error) {
    error.remedy =
      `Downloading the Debian package ${PACKAGE} (the demo clip is in it) failed. Check the network, run ` +
      '`apt-get update` as root and start again, or set SIGHTLINE_DEMO_CLIP=/path/to/a/video to use a clip of yours.';
    throw error;
  }
  const archive = readdirSync(scratch).find((name) => name.endsWith('.deb'));
  const names = await task.run('sh', [
    '-c',
    `dpkg-deb --fsys-tarfile "$1" | tar -t --wildcards "$2"`,
    'list',
    join(scratch, archive),
    MEMBER,
  ]);
  const member = names.trim().split('\n')[0];
  if (member === '') {
    throw new SetupFailure(`${archive} holds no vtest.avi`, {
      remedy: 'Set SIGHTLINE_DEMO_CLIP=/path/to/a/video to use a clip of yours.',
    });
  }
  const clip = join(scratch, 'vtest.avi');
  await extract(join(scratch, archive), member, clip);
  return clip;
}

/** One member of a .deb, unpacked when the package compresses it. */
async function extract(archive, member, target) {
  const unpack = spawn('dpkg-deb', ['--fsys-tarfile', archive], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const pick = spawn('tar', ['-xO', member], { stdio: [unpack.stdout, 'pipe', 'ignore'] });
  const file = createWriteStream(target);
  if (member.endsWith('.gz')) await pipeline(pick.stdout, createGunzip(), file);
  else await pipeline(pick.stdout, file);
}

async function transcode(source, task) {
  const fps = await frameRate(source, task);
  // One name per process: a run that dies leaves no half-written clip behind under the real name.
  const partial = join(CACHE, `.demo-clip-${process.pid}.mp4`);
  try {
    await task.run('gst-launch-1.0', [
      ...['-q', 'filesrc', `location=${source}`, '!', 'decodebin', '!', 'videoconvert'],
      ...['!', 'video/x-raw,format=I420', '!', 'x264enc', `key-int-max=${fps}`, 'bframes=0'],
      ...['tune=zerolatency', 'speed-preset=veryfast', 'bitrate=1500'],
      ...['!', 'video/x-h264,profile=main', '!', 'h264parse', '!', 'mp4mux'],
      ...['!', 'filesink', `location=${partial}`],
    ]);
    renameSync(partial, DEMO_CLIP);
  } finally {
    rmSync(partial, { force: true });
  }
}

/** Frames a second of the first video, rounded; 25 where the container does not say. */
async function frameRate(source, task) {
  let text;
  try {
    text = await task.run('gst-launch-1.0', [
      ...['-v', 'filesrc', `location=${source}`, '!', 'decodebin', '!', 'video/x-raw'],
      ...['!', 'fakesink', 'num-buffers=1'],
    ]);
  } catch (error) {
    throw new SetupFailure(`${source} is not a video that GStreamer can read`, {
      tail: error.tail,
      log: error.log,
      remedy: 'Set SIGHTLINE_DEMO_CLIP to a video file, or unset it for the built-in clip.',
    });
  }
  const match = /video\/x-raw.*framerate=\(fraction\)(\d+)\/(\d+)/.exec(text);
  const fps = match === null ? 0 : Math.round(Number(match[1]) / Number(match[2]));
  return fps > 0 ? fps : DEFAULT_FPS;
}
