import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { SetupFailure } from './failure.mjs';
import { CACHE } from './paths.mjs';

const FILE = join(CACHE, 'setup.lock');
const WAIT_LIMIT_MS = 15 * 60_000;

/** Holds the checkout for one set-up at a time; waits while another one runs. Resolves to the release. */
export async function lockSetup(say) {
  mkdirSync(CACHE, { recursive: true });
  const deadline = Date.now() + WAIT_LIMIT_MS;
  let told = false;
  while (!tryLock()) {
    const owner = lockOwner();
    if (owner !== undefined && !told) {
      say(`Another set-up of this checkout is running (process ${owner}): waiting for it`);
      told = true;
    }
    if (Date.now() > deadline) {
      throw new SetupFailure(`Process ${owner} has held ${FILE} for 15 minutes.`, {
        remedy: `End that process, or remove the file if it is no set-up.`,
      });
    }
    if (owner === undefined) rmSync(FILE, { force: true });
    else await delay(200);
  }
  return () => rmSync(FILE, { force: true });
}

function tryLock() {
  try {
    const file = openSync(FILE, 'wx');
    writeSync(file, String(process.pid));
    closeSync(file);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

/** The process that holds the lock, or undefined when it died without giving it back. */
function lockOwner() {
  try {
    const pid = Number.parseInt(readFileSync(FILE, 'utf8'), 10);
    process.kill(pid, 0);
    return pid;
  } catch (error) {
    return error.code === 'EPERM' ? 'of another user' : undefined;
  }
}
