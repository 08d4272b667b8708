import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { PATHS } from '../../src/common/paths.ts';
import { startCamera } from '../support/camera.ts';
import { isAlive } from '../support/processes.ts';
import { temporaryFolder } from '../support/server.ts';
import { until } from '../support/wait.ts';
import { gaps, watch } from './viewer.ts';

const run = promisify(execFile);

/** A clip of `frames` frames at 30 a second. */
async function makeClip(file: string, frames: number): Promise<void> {
  await run('gst-launch-1.0', [
    ...['-q', 'videotestsrc', `num-buffers=${frames}`],
    ...['!', 'video/x-raw,width=160,height=120,framerate=30/1'],
    ...['!', 'x264enc', 'key-int-max=15', 'bframes=0', '!', 'h264parse', '!', 'mp4mux'],
    ...['!', 'filesink', `location=${file}`],
  ]);
}

/** Runs the camera to its end, for starts that must fail. */
async function fails(...args: readonly string[]): Promise<string> {
  const error = await run(PATHS.camera, args).then(
    () => assert.fail('The camera started'),
    (reason: { code: number; stderr: string }) => reason,
  );
  assert.equal(error.code, 2);
  return error.stderr.trim();
}

describe('sightline-camera', () => {
  for (const transport of ['tcp', 'udp'] as const) {
    it(`plays over the end of the clip with even, growing time stamps (${transport})`, async () => {
      await using folder = await temporaryFolder();
      const clip = join(folder.path, 'short.mp4');
      await makeClip(clip, 15);
      await using camera = await startCamera({ args: ['--clip', clip] });
      const { ptsMs, ended } = await watch(camera.url, {
        transport,
        frames: 45,
        withinMs: 15_000,
      });
      assert.equal(ended, true);
      assert.equal(ptsMs.length, 45);
      for (const gap of gaps(ptsMs)) assert.ok(Math.abs(gap - 1000 / 30) < 0.1, `gap ${gap} ms`);
    });
  }

  it('plays at another rate when told to', async () => {
    await using camera = await startCamera({ args: ['--fps', '40'] });
    const { ptsMs } = await watch(camera.url, { frames: 20, withinMs: 15_000 });
    for (const gap of gaps(ptsMs)) assert.ok(Math.abs(gap - 25) < 0.1, `gap ${gap} ms`);
  });

  it('serves several viewers at once', async () => {
    await using camera = await startCamera({ args: ['--fps', '40'] });
    const viewings = await Promise.all(
      [1, 2, 3].map(() => watch(camera.url, { frames: 20, withinMs: 15_000 })),
    );
    assert.deepEqual(
      viewings.map(({ ptsMs }) => ptsMs.length),
      [20, 20, 20],
    );
  });

  it('answers 404 for a path it does not have', async () => {
    await using camera = await startCamera();
    const url = camera.url.replace('/cam', '/other');
    const viewing = await watch(url, { frames: 1, withinMs: 10_000 });
    assert.equal(viewing.error, 'Not found');
    assert.deepEqual(viewing.ptsMs, []);
  });

  it('answers 401 without the password and lets in who has it', async () => {
    const password = 'p@ss & word';
    await using camera = await startCamera({ args: ['--user', 'viewer'], password });
    const limits = { frames: 3, withinMs: 10_000 };
    assert.equal((await watch(camera.url, limits)).error, 'Unauthorized');
    const wrong = await watch(camera.url, { ...limits, user: 'viewer', password: 'nonsense' });
    assert.equal(wrong.error, 'Unauthorized');
    const right = await watch(camera.url, { ...limits, user: 'viewer', password });
    assert.equal(right.ptsMs.length, 3);
  });

  it('dies after exactly the frames it was told', async () => {
    await using camera = await startCamera({ args: ['--stop-after-frames', '7'] });
    const { ptsMs } = await watch(camera.url, { frames: 1000, withinMs: 10_000 });
    assert.equal(ptsMs.length, 7);
    await until('the camera is gone', 2000, () => !isAlive(camera.pid));
  });

  it('falls silent but keeps the connection', async () => {
    await using camera = await startCamera({ args: ['--stall-after-frames', '5'] });
    const viewing = await watch(camera.url, { frames: 1000, withinMs: 3000 });
    assert.equal(viewing.ptsMs.length, 5);
    assert.equal(viewing.error, undefined);
    assert.equal(viewing.ended, false);
    assert.ok(isAlive(camera.pid));
  });

  it('sends noise that no decoder makes pictures of', async () => {
    await using camera = await startCamera({
      args: ['--fps', '40', '--garbage-after-frames', '10'],
    });
    const { ptsMs } = await watch(camera.url, { frames: 60, withinMs: 5000 });
    // The decoder may conceal the first damaged frames with what it showed before.
    assert.ok(ptsMs.length >= 10 && ptsMs.length < 40, `${ptsMs.length} frames`);
  });

  it('says why it cannot start', async () => {
    await using folder = await temporaryFolder();
    const text = join(folder.path, 'clip.mp4');
    await writeFile(text, 'This is no video, whatever its name says.\n'.repeat(50));
    assert.match(await fails('--clip', text), /Cannot read the clip .*clip\.mp4: /);
    assert.match(await fails('--clip', '/nowhere.mp4'), /Cannot read the clip \/nowhere\.mp4: /);
    assert.match(await fails(), /--clip FILE is missing/);
    assert.match(await fails('--clip', PATHS.demoClip, '--user', 'u'), /--user needs a password/);
    assert.match(await fails('--clip', PATHS.demoClip, 'extra'), /Unknown argument: extra/);
  });

  it('refuses a port that is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    try {
      const message = await fails('--clip', PATHS.demoClip, '--port', String(port));
      assert.match(message, new RegExp(`Cannot listen on 127\\.0\\.0\\.1:${port}: .*in use`));
    } finally {
      server.close();
    }
  });

  it('ends with the process that started it, even when that is killed', async () => {
    const script = `
      const { spawn } = require('node:child_process');
      const camera = spawn(process.argv[1], ['--clip', process.argv[2], '--port', '0', '--exit-with-parent']);
      camera.stdout.once('data', () => console.log(camera.pid));
      setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['-e', script, PATHS.camera, PATHS.demoClip], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [pid] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string];
    assert.ok(isAlive(Number(pid)));
    parent.kill('SIGKILL');
    await until('the camera is gone', 2000, () => !isAlive(Number(pid)));
  });
});
