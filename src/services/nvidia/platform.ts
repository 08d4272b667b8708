import type { Host } from './host.ts';

/** `dgpu`: a card in an x86 machine. `sbsa`: a card or GPU of an ARM server or DGX Spark. `orin-nano`: no video encoder. */
export type NvidiaPlatform = 'dgpu' | 'jetson' | 'orin-nano' | 'sbsa';

export interface PlatformFacts {
  readonly platform: NvidiaPlatform;
  /** Model of a Jetson, such as `NVIDIA Jetson AGX Orin Developer Kit`; undefined where the machine does not tell. */
  readonly model?: string;
  /** Jetson Linux, such as `39.2`. */
  readonly l4t?: string;
}

const PLATFORMS: readonly NvidiaPlatform[] = ['dgpu', 'jetson', 'orin-nano', 'sbsa'];
// A container hides /proc/device-tree (a link into /sys/firmware), but not /sys/devices.
const MODEL_FILES = ['/proc/device-tree/model', '/sys/devices/soc0/machine'];
const TEGRA_RELEASE = '/etc/nv_tegra_release';

/**
 * Tells Jetsons from cards. `SIGHTLINE_PLATFORM` decides where it is set: a container may hide which Jetson it runs on.
 */
export async function detectPlatform(host: Host): Promise<PlatformFacts> {
  const [release, ...models] = await Promise.all([
    host.readText(TEGRA_RELEASE),
    ...MODEL_FILES.map((file) => host.readText(file)),
  ]);
  const model = models.find((text) => text !== undefined && /jetson|orin|thor/i.test(text));
  const l4t = release === undefined ? undefined : l4tOf(release);
  const facts = {
    ...(model === undefined ? {} : { model }),
    ...(l4t === undefined ? {} : { l4t }),
  };
  const chosen = PLATFORMS.find((name) => name === host.env['SIGHTLINE_PLATFORM']);
  if (chosen !== undefined) return { platform: chosen, ...facts };
  if (release === undefined && model === undefined) {
    return { platform: host.arch === 'arm64' ? 'sbsa' : 'dgpu' };
  }
  return { platform: /orin nano/i.test(model ?? '') ? 'orin-nano' : 'jetson', ...facts };
}

/** `# R39 (release), REVISION: 2.0, GCID: ...` is 39.2. */
function l4tOf(release: string): string | undefined {
  const match = /R(\d+) \(release\), REVISION: (\d+)/.exec(release);
  return match === null ? undefined : `${match[1]}.${match[2]}`;
}

/** What is wrong with `SIGHTLINE_PLATFORM`; undefined when nothing is. */
export function platformProblem(host: Host): string | undefined {
  const stated = host.env['SIGHTLINE_PLATFORM'];
  if (stated === undefined || PLATFORMS.some((name) => name === stated)) return undefined;
  return `SIGHTLINE_PLATFORM=${stated} is no platform: set one of ${PLATFORMS.join(', ')}, or unset it`;
}

export function isJetson(platform: NvidiaPlatform): boolean {
  return platform === 'jetson' || platform === 'orin-nano';
}
