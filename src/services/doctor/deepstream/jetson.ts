import type { Host } from '../../nvidia/host.ts';
import type { PlatformFacts } from '../../nvidia/platform.ts';
import { compareVersions, releaseOf } from '../../nvidia/releases.ts';
import { type Finding, fail, ok, warn } from '../finding.ts';

const LOW_MEMORY_MIB = 4096;

/** The module, its memory (which the GPU shares), and Jetson Linux beside what this DeepStream asks for. */
export async function checkJetson(
  host: Host,
  { platform, model, l4t }: PlatformFacts,
  deepstream: string | undefined,
): Promise<Finding[]> {
  return [
    model === undefined
      ? warn(
          'gpu',
          'A Jetson whose model is hidden (a container hides the device tree)',
          'Set SIGHTLINE_PLATFORM=orin-nano on an Orin Nano, else SIGHTLINE_PLATFORM=jetson',
        )
      : ok('gpu', `${model}${platform === 'orin-nano' ? ', which has no video encoder' : ''}`),
    await checkMemory(host),
    checkLinux(model, l4t, deepstream),
  ];
}

async function checkMemory(host: Host): Promise<Finding> {
  const text = (await host.readText('/proc/meminfo')) ?? '';
  const mib = (name: string) =>
    Math.round(Number(new RegExp(`^${name}: +(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) / 1024);
  const [total, available] = [mib('MemTotal'), mib('MemAvailable')];
  const what = `${available} of ${total} MiB free, shared by the GPU and the system`;
  if (available >= LOW_MEMORY_MIB / 2) return ok('memory', what);
  return warn(
    'memory',
    `${what}: building an engine may fail`,
    'Stop the desktop (sudo systemctl isolate multi-user.target) or add swap while engines are built',
  );
}

function checkLinux(
  model: string | undefined,
  l4t: string | undefined,
  deepstream: string | undefined,
): Finding {
  const check = 'driver';
  const release = deepstream === undefined ? undefined : releaseOf(deepstream);
  if (l4t === undefined) {
    return warn(
      check,
      'Jetson Linux does not tell its version (/etc/nv_tegra_release)',
      'In a container: docker run --runtime nvidia, or mount /etc/nv_tegra_release',
    );
  }
  if (release === undefined) return ok(check, `Jetson Linux ${l4t}`);
  const wanted = `DeepStream ${release.version} asks for JetPack ${release.jetpack} (L4T ${release.l4t})`;
  const family = /orin/i.test(model ?? '')
    ? 'orin'
    : /thor/i.test(model ?? '')
      ? 'thor'
      : undefined;
  if (family !== undefined && !release.jetsons.includes(family)) {
    return fail(
      check,
      `DeepStream ${release.version} does not support ${model}`,
      'docs/deepstream.md has the table of modules, JetPacks and releases',
    );
  }
  const [major] = l4t.split('.');
  const [wantedMajor] = release.l4t.split('.');
  if (compareVersions(l4t, release.l4t) >= 0 && major === wantedMajor) {
    return ok(check, `Jetson Linux ${l4t} (${wanted})`);
  }
  return fail(
    check,
    `Jetson Linux ${l4t} does not fit: ${wanted}`,
    `Flash JetPack ${release.jetpack}, or use the DeepStream that belongs to this one (docs/deepstream.md)`,
  );
}
