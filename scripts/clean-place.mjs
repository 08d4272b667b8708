#!/usr/bin/env node
// Proves set-up in a bare system: `sudo node scripts/clean-place.mjs bookworm|jammy|noble [--keep] [--start-only]`.
// Makes the system with debootstrap in a temporary folder, gives it this Node and npm and a clone of HEAD, and runs what
// a stranger would: `npm start` until the first detection is on the disk, once more, then `npm test`.
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CERTIFICATES, makeBareSystem, run, SUITES } from './bare-system.mjs';
import { ROOT } from './setup/paths.mjs';

const FIRST_DETECTION_LIMIT_MS = 15 * 60_000;
const CHECKOUT = '/opt/sightline';

const [suite, ...flags] = process.argv.slice(2);
if (!Object.hasOwn(SUITES, suite ?? '') || process.getuid() !== 0) {
  console.error(
    `Usage, as root: node scripts/clean-place.mjs ${Object.keys(SUITES).join('|')} [--keep] [--start-only]`,
  );
  process.exit(2);
}

function makeSystem(root) {
  makeBareSystem(suite, root, ['ca-certificates', 'git']);
  const prefix = dirname(dirname(process.execPath));
  for (const part of ['bin/node', 'bin/npm', 'lib/node_modules/npm', 'include/node']) {
    const options = { recursive: true, verbatimSymlinks: true };
    if (existsSync(join(prefix, part)))
      cpSync(join(prefix, part), join(root, 'usr', part), options);
  }
  run('git', 'clone', '-q', ROOT, join(root, CHECKOUT));
}

/** In a mount namespace of its own, so that nothing stays mounted whatever happens. */
function inSystem(root, command, stdio) {
  const script = `mount --bind /proc "$0/proc" && mount --bind /dev "$0/dev" && exec chroot "$0" \
    /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin NODE_EXTRA_CA_CERTS=${CERTIFICATES} \
    sh -c 'cd ${CHECKOUT} && exec ${command}'`;
  return spawn('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', script, root], {
    stdio,
    detached: true,
  });
}

function hasDetection(root) {
  const out = join(root, CHECKOUT, 'data', 'demo', 'out');
  if (!existsSync(out)) return false;
  return readdirSync(out, { recursive: true })
    .filter((name) => name.endsWith('.ndjson'))
    .some((name) => readFileSync(join(out, name), 'utf8').includes('"objects":[{'));
}

const ended = (child) => new Promise((resolve) => child.once('exit', resolve));

async function start(root, which) {
  rmSync(join(root, CHECKOUT, 'data'), { recursive: true, force: true });
  const startedAt = performance.now();
  const elapsedMs = () => performance.now() - startedAt;
  const child = inSystem(root, 'npm start', ['ignore', 'ignore', 'inherit']);
  const exit = ended(child);
  const runs = () => child.exitCode === null && child.signalCode === null;
  while (runs() && !hasDetection(root) && elapsedMs() < FIRST_DETECTION_LIMIT_MS) await delay(100);
  const seconds = (elapsedMs() / 1000).toFixed(1);
  const stopped = runs();
  if (stopped) process.kill(-child.pid, 'SIGINT');
  const code = await exit;
  if (!stopped || code !== 0 || !hasDetection(root)) {
    throw new Error(`The ${which} npm start ended with ${code} after ${seconds} s`);
  }
  console.log(
    `${suite}, ${which} npm start: the first detection is on the disk after ${seconds} s`,
  );
}

const root = mkdtempSync(join(tmpdir(), `sightline-${suite}-`));
try {
  makeSystem(root);
  await start(root, 'first');
  await start(root, 'later');
  if (!flags.includes('--start-only')) {
    process.exitCode =
      (await ended(inSystem(root, 'npm test', ['ignore', 'inherit', 'inherit']))) ?? 1;
  }
} finally {
  if (flags.includes('--keep')) console.log(`Kept: ${root}`);
  else rmSync(root, { recursive: true, force: true });
}
