import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PATHS } from '../../src/common/paths.ts';

const run = promisify(execFile);
const TIMEOUT_MS = 60_000;
/** A registry of our own: another build of the plugin must not answer. */
const REGISTRY = join(tmpdir(), `sightline-test-registry-${process.pid}.bin`);
process.on('exit', () => rmSync(REGISTRY, { force: true }));

/** Runs a line in `sh` with our plugin in sight; rejects when it fails or takes longer than a minute. */
export async function runShell(line: string, cwd: string): Promise<string> {
  const plugins = process.env['GST_PLUGIN_PATH'] ?? PATHS.pluginDir;
  const { stdout, stderr } = await run('sh', ['-c', line], {
    cwd,
    timeout: TIMEOUT_MS,
    killSignal: 'SIGKILL',
    env: {
      ...process.env,
      GST_PLUGIN_PATH: plugins,
      GST_REGISTRY: REGISTRY,
    },
  });
  return stdout + stderr;
}

/** Runs `action` in a fresh folder and removes it. */
export async function inFolder<T>(action: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'sightline-pipeline-'));
  try {
    return await action(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}
