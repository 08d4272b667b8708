import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PATHS } from '../../common/paths.ts';
import { CPU_ELEMENTS, SIGHTLINE_ELEMENTS } from './elements.ts';
import { type Finding, fail, ok } from './finding.ts';

const run = promisify(execFile);
// The first look after an installation reads every plugin file.
const INSPECT_LIMIT_MS = 60_000;
const FLOOR = { major: 1, minor: 20 };
const REBUILD = 'npm run setup';

/** What gst-inspect-1.0 knows on this machine. */
export interface Inspection {
  readonly version: string;
  readonly elements: ReadonlySet<string>;
}

/** Asks gst-inspect-1.0 once for everything, our plugin included; undefined where there is no gst-inspect-1.0. */
export async function inspectGStreamer(env: NodeJS.ProcessEnv): Promise<Inspection | undefined> {
  const options = {
    env: { ...env, GST_PLUGIN_PATH: pluginPath(env), LC_ALL: 'C' },
    timeout: INSPECT_LIMIT_MS,
    maxBuffer: 16 * 1024 * 1024,
  };
  try {
    const [version, list] = await Promise.all([
      run('gst-inspect-1.0', ['--version'], options),
      run('gst-inspect-1.0', [], options),
    ]);
    return {
      version: /GStreamer (\S+)/.exec(version.stdout)?.[1] ?? 'unknown',
      elements: new Set(
        list.stdout.split('\n').flatMap((line) => /^\S+: {2}([\w-]+): /.exec(line)?.[1] ?? []),
      ),
    };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function pluginPath(env: NodeJS.ProcessEnv): string {
  return [PATHS.pluginDir, env['GST_PLUGIN_PATH']].filter(Boolean).join(':');
}

export async function checkGStreamer(
  inspection: Inspection | undefined,
  env: NodeJS.ProcessEnv,
): Promise<Finding[]> {
  if (inspection === undefined) {
    return [
      fail(
        'gstreamer',
        'gst-inspect-1.0 is not installed, so GStreamer cannot be looked at',
        'sudo apt-get install gstreamer1.0-tools',
      ),
    ];
  }
  return [
    checkVersion(inspection.version),
    ...checkElements(inspection.elements),
    await checkPlugin(inspection.elements, env),
  ];
}

function checkVersion(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > FLOOR.major || (major === FLOOR.major && minor >= FLOOR.minor)) {
    return ok('gstreamer', `GStreamer ${version}`);
  }
  return fail(
    'gstreamer',
    `GStreamer ${version} is too old: ${FLOOR.major}.${FLOOR.minor} is the oldest`,
    'Use Debian 12, Ubuntu 22.04 or later, or the Docker image',
  );
}

function checkElements(present: ReadonlySet<string>): Finding[] {
  const missing = Object.entries(CPU_ELEMENTS).flatMap(([packageName, names]) => {
    const absent = names.filter((name) => !present.has(name));
    return absent.length === 0 ? [] : [{ packageName, absent }];
  });
  if (missing.length === 0) {
    const count = Object.values(CPU_ELEMENTS).flat().length;
    return [ok('elements', `All ${count} GStreamer elements of the CPU backend are there`)];
  }
  return missing.map(({ packageName, absent }) =>
    fail(
      'elements',
      `GStreamer lacks ${absent.join(', ')} (package ${packageName})`,
      `sudo apt-get install --reinstall ${packageName} && rm -rf ~/.cache/gstreamer-1.0`,
    ),
  );
}

async function checkPlugin(present: ReadonlySet<string>, env: NodeJS.ProcessEnv): Promise<Finding> {
  const file = join(PATHS.pluginDir, 'libgstsightline.so');
  if (!existsSync(file)) return fail('plugin', `The plugin is not built: ${file}`, REBUILD);
  const absent = SIGHTLINE_ELEMENTS.filter((name) => !present.has(name));
  if (absent.length === 0) {
    return ok('plugin', `The Sightline plugin loads, with ${SIGHTLINE_ELEMENTS.join(', ')}`);
  }
  return fail(
    'plugin',
    `${file} lacks ${absent.join(', ')}: ${await loadError(file, env)}`,
    `rm -rf build-native .cache/stamps/plugin && ${REBUILD}`,
  );
}

/** GStreamer's own words on a plugin file that it does not load. */
async function loadError(file: string, env: NodeJS.ProcessEnv): Promise<string> {
  try {
    await run('gst-inspect-1.0', [file], { env, timeout: INSPECT_LIMIT_MS });
    return 'it loads, but was built from other sources';
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string };
    return stderr.trim().split('\n').at(-1) ?? 'it does not load';
  }
}
