import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PATHS } from '../../common/paths.ts';
import type { Host } from '../nvidia/host.ts';
import { CPU_ELEMENTS, SIGHTLINE_ELEMENTS } from './elements.ts';
import { type Finding, fail, ok } from './finding.ts';

// The first look after an installation reads every plugin file.
const INSPECT_LIMIT_MS = 60_000;
const FLOOR = { major: 1, minor: 20 };
const REBUILD = 'npm run setup';

/** What gst-inspect-1.0 knows on this machine. */
export interface Inspection {
  readonly version: string;
  readonly elements: ReadonlySet<string>;
  /** The plugin that an element comes from, by the element's name; of several plugins, the last one listed. */
  readonly plugins: ReadonlyMap<string, string>;
  /** Files that GStreamer gave up on and does not look at again. */
  readonly blacklist: readonly string[];
  /** Why nothing is known of the elements; absent when gst-inspect-1.0 answered. */
  readonly problem?: string;
}

/** Asks gst-inspect-1.0 once for everything, our plugin included; undefined where there is no answer. */
export async function inspectGStreamer(host: Host): Promise<Inspection | undefined> {
  const options = {
    env: { GST_PLUGIN_PATH: pluginPath(host.env) },
    limitMs: INSPECT_LIMIT_MS,
  };
  const version = await host.run('gst-inspect-1.0', ['--version'], options);
  if (version.kind === 'absent') return undefined;
  // One after the other: the first may write the registry that the second reads.
  const list = await host.run('gst-inspect-1.0', [], options);
  const blacklist = await host.run('gst-inspect-1.0', ['-b'], options);
  const text = list.kind === 'done' ? list.stdout : '';
  const plugins = new Map(
    text.split('\n').flatMap((line): [string, string][] => {
      const [, plugin, element] = /^(\S+): {2}([\w-]+): /.exec(line) ?? [];
      return plugin === undefined || element === undefined ? [] : [[element, plugin]];
    }),
  );
  return {
    version:
      (version.kind === 'done' ? /GStreamer (\S+)/.exec(version.stdout)?.[1] : undefined) ??
      'unknown',
    elements: new Set(plugins.keys()),
    plugins,
    blacklist: blacklist.kind === 'done' ? blacklisted(blacklist.stdout) : [],
    ...(list.kind === 'hung'
      ? { problem: `gst-inspect-1.0 did not end within ${list.limitMs / 1000} s` }
      : list.kind === 'failed'
        ? { problem: `gst-inspect-1.0 failed: ${list.stderr.split('\n').at(-1)}` }
        : {}),
  };
}

/** Indented lines below `Blacklisted files:`. */
function blacklisted(text: string): string[] {
  return text.split('\n').flatMap((line) => /^\s+(\S+\.so\S*)/.exec(line)?.[1] ?? []);
}

function pluginPath(env: NodeJS.ProcessEnv): string {
  return [PATHS.pluginDir, env['GST_PLUGIN_PATH']].filter(Boolean).join(':');
}

export async function checkGStreamer(
  inspection: Inspection | undefined,
  host: Host,
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
  if (inspection.problem !== undefined) {
    return [
      checkVersion(inspection.version),
      fail(
        'elements',
        inspection.problem,
        'rm -rf ~/.cache/gstreamer-1.0; GST_DEBUG=3 gst-inspect-1.0 2>&1 | tail',
      ),
    ];
  }
  return [
    checkVersion(inspection.version),
    ...checkElements(inspection.elements),
    await checkPlugin(inspection.elements, host),
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

async function checkPlugin(present: ReadonlySet<string>, host: Host): Promise<Finding> {
  const file = join(PATHS.pluginDir, 'libgstsightline.so');
  if (!existsSync(file)) return fail('plugin', `The plugin is not built: ${file}`, REBUILD);
  const absent = SIGHTLINE_ELEMENTS.filter((name) => !present.has(name));
  if (absent.length === 0) {
    return ok('plugin', `The Sightline plugin loads, with ${SIGHTLINE_ELEMENTS.join(', ')}`);
  }
  return fail(
    'plugin',
    `${file} lacks ${absent.join(', ')}: ${await loadError(file, host)}`,
    `rm -rf build-native .cache/stamps/plugin && ${REBUILD}`,
  );
}

/** GStreamer's own words on a plugin file that it does not load. */
async function loadError(file: string, host: Host): Promise<string> {
  const result = await host.run('gst-inspect-1.0', [file], { limitMs: INSPECT_LIMIT_MS });
  if (result.kind === 'done') return 'it loads, but was built from other sources';
  if (result.kind === 'failed') return result.stderr.split('\n').at(-1) ?? 'it does not load';
  return 'it does not load';
}
