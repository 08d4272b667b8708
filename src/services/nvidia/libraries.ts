import type { Host } from './host.ts';
import { compareVersions } from './releases.ts';

/** Folders of shared libraries on a DeepStream machine, besides those of LD_LIBRARY_PATH. */
function folders(host: Host): readonly string[] {
  const chosen = (host.env['LD_LIBRARY_PATH'] ?? '').split(':').filter((path) => path !== '');
  return [
    ...chosen,
    `/usr/lib/${host.triplet}`,
    `/usr/lib/${host.triplet}/nvidia`,
    '/usr/local/cuda/lib64',
    '/usr/local/tensorrt/lib',
    '/usr/src/tensorrt/lib',
    '/usr/lib/wsl/lib',
    '/usr/local/lib',
    '/usr/lib',
  ];
}

/**
 * The version in the file names of a library (`libnvinfer.so.10.16.1` is 10.16.1): the most exact one of the first folder
 * that has it, and of several the newest; undefined where there is none. A file without a version counts as `0`.
 */
export async function libraryVersion(host: Host, name: string): Promise<string | undefined> {
  const prefix = `${name}.so`;
  for (const folder of folders(host)) {
    const versions = (await host.list(folder))
      .filter((file) => file === prefix || file.startsWith(`${prefix}.`))
      .map((file) => file.slice(prefix.length + 1) || '0');
    if (versions.length > 0) {
      return versions.sort((a, b) => parts(b) - parts(a) || compareVersions(b, a))[0];
    }
  }
  return undefined;
}

function parts(version: string): number {
  return version.split('.').length;
}

/** Version of TensorRT as its library is named, with three numbers. */
export async function tensorRtVersion(host: Host): Promise<string | undefined> {
  return libraryVersion(host, 'libnvinfer');
}

/** Version of the CUDA runtime: version.json of the toolkit, else the library's name, else what the image states. */
export async function cudaVersion(host: Host): Promise<string | undefined> {
  const toolkit = await host.readText('/usr/local/cuda/version.json');
  const stated = /"cuda"\s*:\s*\{[^}]*"version"\s*:\s*"([\d.]+)"/.exec(toolkit ?? '')?.[1];
  return stated ?? (await libraryVersion(host, 'libcudart')) ?? host.env['CUDA_VERSION'];
}
