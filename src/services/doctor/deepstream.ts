import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DEEPSTREAM_ELEMENTS } from './elements.ts';
import { type Finding, fail, ok } from './finding.ts';
import type { Inspection } from './gstreamer.ts';
import { exists } from './machine.ts';

const run = promisify(execFile);
const DRIVER_LIMIT_MS = 10_000;
const INSTALLED_AT = '/opt/nvidia/deepstream/deepstream';
const TEGRA_RELEASE = '/etc/nv_tegra_release';

/** DeepStream is optional: its absence is fine, a broken installation is not. */
export async function checkDeepStream(
  inspection: Inspection | undefined,
  folder = INSTALLED_AT,
): Promise<Finding[]> {
  if (!(await exists(folder))) {
    return [ok('deepstream', 'DeepStream is not installed: pipelines run on the CPU')];
  }
  return [await checkElements(inspection, folder), await checkDriver()];
}

async function checkElements(inspection: Inspection | undefined, folder: string): Promise<Finding> {
  const version = await readFile(join(folder, 'version'), 'utf8').then(
    (text) => text.trim().split('\n')[0] ?? 'of an unknown version',
    () => 'of an unknown version',
  );
  const absent = DEEPSTREAM_ELEMENTS.filter((name) => !inspection?.elements.has(name));
  if (absent.length === 0) return ok('deepstream', `DeepStream ${version}`);
  return fail(
    'deepstream',
    `DeepStream ${version} is installed in ${folder}, but GStreamer lacks ${absent.join(', ')}`,
    `rm -rf ~/.cache/gstreamer-1.0 && GST_PLUGIN_PATH=${folder}/lib/gst-plugins gst-inspect-1.0 ${absent[0]}`,
  );
}

async function checkDriver(): Promise<Finding> {
  if (await exists(TEGRA_RELEASE)) {
    const release = await readFile(TEGRA_RELEASE, 'utf8');
    return ok(
      'driver',
      `Jetson: ${release.split('\n')[0]?.replace(/^# */, '') ?? 'unknown release'}`,
    );
  }
  try {
    const { stdout } = await run(
      'nvidia-smi',
      ['--query-gpu=name,driver_version', '--format=csv,noheader'],
      { timeout: DRIVER_LIMIT_MS },
    );
    return ok('driver', `GPU: ${stdout.trim().split('\n').join('; ')}`);
  } catch (error) {
    const { code, stderr } = error as { code?: string | number; stderr?: string };
    return fail(
      'driver',
      `The NVIDIA driver does not answer (nvidia-smi: ${stderr?.trim() || String(code)})`,
      'Install the driver that this DeepStream version asks for; in a container, run it with --gpus all',
    );
  }
}
