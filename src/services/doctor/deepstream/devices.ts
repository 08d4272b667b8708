import { stat } from 'node:fs/promises';
import type { findDevices } from '../../nvidia/driver.ts';
import type { Host } from '../../nvidia/host.ts';
import { type Finding, fail, ok } from '../finding.ts';

const CHECK = 'devices';

/** Whether the GPU's device files are here and open to this user; a Jetson's belong to the groups video and render. */
export async function checkDevices(
  host: Host,
  { present, refused }: Awaited<ReturnType<typeof findDevices>>,
): Promise<Finding[]> {
  if (present.length === 0) {
    return [
      fail(
        CHECK,
        'No device file of an NVIDIA GPU is here',
        'Load the driver (sudo modprobe nvidia); in a container: --gpus all, on a Jetson --runtime nvidia',
      ),
    ];
  }
  if (refused.length === 0) return [ok(CHECK, `${present.join(', ')} can be opened`)];
  const groups = new Map<number, string>();
  for (const device of refused) {
    const { gid } = await stat(host.path(device));
    groups.set(gid, await groupName(host, gid));
  }
  const names = [...groups.values()].join(', ');
  return [
    fail(
      CHECK,
      `This user may not open ${refused.join(', ')} (group ${names})`,
      `sudo usermod -aG ${[...groups.values()].join(',')} "$USER" and log in again; in a container: ${[...groups.keys()].map((gid) => `--group-add ${gid}`).join(' ')}`,
    ),
  ];
}

async function groupName(host: Host, gid: number): Promise<string> {
  const text = (await host.readText('/etc/group')) ?? '';
  const line = text.split('\n').find((entry) => entry.split(':')[2] === String(gid));
  return line?.split(':')[0] ?? String(gid);
}
