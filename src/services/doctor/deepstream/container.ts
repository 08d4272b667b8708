import type { Host } from '../../nvidia/host.ts';
import { libraryVersion } from '../../nvidia/libraries.ts';
import { isJetson, type NvidiaPlatform } from '../../nvidia/platform.ts';
import { type Finding, fail, ok, warn } from '../finding.ts';

const CHECK = 'container';

/** What the NVIDIA container runtime was asked for, and whether the decoder's library came in. */
export async function checkContainer(host: Host, platform: NvidiaPlatform): Promise<Finding[]> {
  return [
    ...(await checkCapabilities(host, platform)),
    ...(isJetson(platform) ? [] : await checkDecoderLibrary(host)),
    ...(await checkPreload(host)),
  ];
}

async function isContainer(host: Host): Promise<boolean> {
  if (host.env['NVIDIA_VISIBLE_DEVICES'] !== undefined) return true;
  return (await host.exists('/.dockerenv')) || (await host.exists('/run/.containerenv'));
}

async function checkCapabilities(host: Host, platform: NvidiaPlatform): Promise<Finding[]> {
  if (!(await isContainer(host))) return [];
  const devices = host.env['NVIDIA_VISIBLE_DEVICES'];
  if (devices === 'void' || devices === 'none') {
    return [
      fail(
        CHECK,
        `NVIDIA_VISIBLE_DEVICES=${devices} hides every GPU from this container`,
        'docker run --gpus all, or -e NVIDIA_VISIBLE_DEVICES=all with --runtime nvidia',
      ),
    ];
  }
  const stated = host.env['NVIDIA_DRIVER_CAPABILITIES'];
  if (stated === undefined && isJetson(platform)) return [];
  const capabilities = (stated ?? 'utility,compute').split(',');
  if (capabilities.some((name) => name === 'all' || name === 'video')) {
    return [ok(CHECK, `NVIDIA_DRIVER_CAPABILITIES=${stated}`)];
  }
  return [
    fail(
      CHECK,
      stated === undefined
        ? 'NVIDIA_DRIVER_CAPABILITIES is not set, which means utility,compute: the decoder stays outside'
        : `NVIDIA_DRIVER_CAPABILITIES=${stated} lacks video: the decoder stays outside`,
      'docker run -e NVIDIA_DRIVER_CAPABILITIES=all ...',
    ),
  ];
}

/** libnvcuvid belongs to the driver; without it nvv4l2decoder exists and fails at the first picture. */
async function checkDecoderLibrary(host: Host): Promise<Finding[]> {
  if ((await libraryVersion(host, 'libnvcuvid')) !== undefined) return [];
  return [
    fail(
      'codecs',
      'The driver’s decoder library (libnvcuvid.so.1) is not here: nvv4l2decoder cannot decode',
      (await isContainer(host))
        ? 'docker run --gpus all -e NVIDIA_DRIVER_CAPABILITIES=all ...'
        : 'Install the decoder part of the driver (libnvidia-decode-<branch>)',
    ),
  ];
}

/** NVIDIA's images preload libraries into every process. One that is gone makes the loader complain at each start. */
async function checkPreload(host: Host): Promise<Finding[]> {
  const files = (host.env['LD_PRELOAD'] ?? '')
    .split(/[: ]+/)
    .filter((file) => file.startsWith('/'));
  const gone: string[] = [];
  for (const file of files) if (!(await host.exists(file))) gone.push(file);
  if (gone.length === 0) return [];
  return [
    warn(
      CHECK,
      `LD_PRELOAD names files that are not here: ${gone.join(', ')}`,
      'Install them (libgomp1, libglvnd0), or start with -e LD_PRELOAD=',
    ),
  ];
}
