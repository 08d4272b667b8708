import type { Host } from './host.ts';
import { isJetson, type NvidiaPlatform } from './platform.ts';

/** What the kernel's NVIDIA driver says of itself, without asking the GPU. */
export interface DriverFacts {
  /** Such as `595.58.03`; undefined on a Jetson with the integrated driver, and where no driver runs. */
  readonly driver?: string;
  /** Names of the cards, in the order of their PCI addresses. */
  readonly gpus: readonly string[];
}

/** Longest wait for nvidia-smi where only it can tell (WSL 2). */
const SMI_LIMIT_MS = 200;
const PROC = '/proc/driver/nvidia';

/** Reads /proc; asks nvidia-smi only where /proc has nothing. Never waits long. */
export async function readDriver(host: Host): Promise<DriverFacts> {
  const version = await host.readText(`${PROC}/version`);
  if (version !== undefined) {
    const driver = /Kernel Module(?: +for +\S+)? +(\d+(?:\.\d+)+)/.exec(version)?.[1];
    return { ...(driver === undefined ? {} : { driver }), gpus: await gpuNames(host) };
  }
  if (!(await host.exists('/dev/dxg'))) return { gpus: [] };
  const smi = await host.run(
    'nvidia-smi',
    ['--query-gpu=driver_version,name', '--format=csv,noheader'],
    { limitMs: SMI_LIMIT_MS },
  );
  if (smi.kind !== 'done') return { gpus: [] };
  const rows = smi.stdout
    .trim()
    .split('\n')
    .map((line) => line.split(', '));
  const driver = rows[0]?.[0];
  return {
    ...(driver === undefined ? {} : { driver }),
    gpus: rows.flatMap(([, name]) => name ?? []),
  };
}

async function gpuNames(host: Host): Promise<readonly string[]> {
  const addresses = await host.list(`${PROC}/gpus`);
  const texts = await Promise.all(
    addresses.map((address) => host.readText(`${PROC}/gpus/${address}/information`)),
  );
  return texts.flatMap((text) => /^Model:\s*(.+)$/m.exec(text ?? '')?.[1]?.trim() ?? []);
}

/** Devices through which the GPU is reached: of each group at least one must be there. */
export function deviceGroups(platform: NvidiaPlatform): readonly (readonly string[])[] {
  return isJetson(platform) ? [['/dev/nvmap', '/dev/nvidiactl']] : [['/dev/nvidiactl', '/dev/dxg']];
}

/** Those devices that exist, and whether this process may use them. */
export async function findDevices(
  host: Host,
  platform: NvidiaPlatform,
): Promise<{ readonly present: readonly string[]; readonly refused: readonly string[] }> {
  const names = deviceGroups(platform).flat();
  const cards = (await host.list('/dev')).filter((name) => /^nvidia\d+$/.test(name));
  const present: string[] = [];
  const refused: string[] = [];
  for (const device of [...names, ...cards.map((name) => `/dev/${name}`)]) {
    if (!(await host.exists(device))) continue;
    present.push(device);
    if (!(await host.isUsable(device))) refused.push(device);
  }
  return { present, refused };
}
