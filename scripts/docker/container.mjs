// Runs an image that was built in a folder: its entry point as its user, until its health check says yes.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { childOf, chrootWords, resolveUser, spawnBeside, spawnIn } from './chroot.mjs';

const HEALTHY_LIMIT_MS = 120_000;
const DETECTION_LIMIT_MS = 180_000;
const STOP_LIMIT_MS = 10_000;
const CHECK_LIMIT_MS = 5000;

const ended = (child) => new Promise((resolve) => child.once('exit', resolve));

/** One command in the image, as its user and without a network, as `docker run --rm image command` does. */
export async function runInImage(image, command, log) {
  const child = spawnIn(image.root, chrootWords(image, [...image.entrypoint, ...command]), {
    alone: true,
    stdio: ['ignore', 'pipe', log],
  });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  const status = await new Promise((resolve) => child.once('close', resolve));
  return { status, stdout };
}

/**
 * `docker run image`, until it is healthy, has written a detection, and is stopped as `docker stop` does. `say(line)` is
 * told each of these with its seconds. Throws when one does not come in time.
 */
export async function runImage(image, { log, say }) {
  const startedAt = performance.now();
  const since = () => `${((performance.now() - startedAt) / 1000).toFixed(1)} s`;
  const words = chrootWords(image, [...image.entrypoint, ...(image.cmd ?? [])]);
  const child = spawnIn(image.root, words, { alone: true, stdio: ['ignore', log, log] });
  const exit = ended(child);
  const runs = () => child.exitCode === null && child.signalCode === null;
  const until = async (what, limitMs, happened) => {
    while (!(await happened())) {
      if (!runs()) throw new Error(`It ended with ${child.exitCode} before it was ${what}`);
      if (performance.now() - startedAt > limitMs) throw new Error(`It is not ${what} in time`);
      await delay(250);
    }
  };
  try {
    await until('started', HEALTHY_LIMIT_MS, () => childOf(child.pid) !== undefined);
    const pid = childOf(child.pid);
    await until('healthy', HEALTHY_LIMIT_MS, () => isHealthy(pid, image));
    say(`healthy after ${since()}, as user ${checkUser(pid, image)}, with no network but loopback`);
    await until('detecting', DETECTION_LIMIT_MS, () => hasDetection(image.root));
    say(`the first detection of the demo is on the disk after ${since()}`);
    process.kill(pid, 'SIGTERM');
    const stoppedAt = performance.now();
    const code = await Promise.race([exit, delay(STOP_LIMIT_MS, 'late')]);
    if (code !== 0) throw new Error(`After SIGTERM it ended with ${code}`);
    say(`SIGTERM ends it with 0 after ${((performance.now() - stoppedAt) / 1000).toFixed(1)} s`);
  } finally {
    if (runs()) child.kill('SIGKILL');
    await exit;
  }
}

async function isHealthy(pid, image) {
  const child = spawnBeside(pid, chrootWords(image, image.healthcheck.command), {
    stdio: 'ignore',
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), CHECK_LIMIT_MS);
  const code = await ended(child);
  clearTimeout(timer);
  return code === 0;
}

/** The user that the kernel says the server runs as; it must be the image's and not root. */
function checkUser(pid, image) {
  const uid = Number(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  const wanted = resolveUser(image.root, image.user).uid;
  if (uid !== wanted || uid === 0) throw new Error(`The server runs as ${uid}, not as ${wanted}`);
  return uid;
}

function hasDetection(root) {
  const out = join(root, 'app/data/demo/out');
  if (!existsSync(out)) return false;
  return readdirSync(out, { recursive: true })
    .filter((name) => name.endsWith('.ndjson'))
    .some((name) => readFileSync(join(out, name), 'utf8').includes('"objects":[{'));
}
