import { mkdtemp, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Host } from '../../nvidia/host.ts';
import { type Finding, fail, ok, warn } from '../finding.ts';
import { exists } from '../machine.ts';

/** nvurisrcbin asks the kernel for this much; the kernel gives rmem_max at most, silently. */
const UDP_BUFFER_BYTES = 524_288;

/** Building an engine takes minutes: where it cannot be kept, every start takes them. */
export async function checkEngines(enginesDir: string): Promise<Finding> {
  let folder = enginesDir;
  while (!(await exists(folder)) && folder !== dirname(folder)) folder = dirname(folder);
  try {
    await rm(await mkdtemp(join(folder, '.sightline-doctor-')), { recursive: true });
    return ok('engines', `TensorRT engines are kept in ${enginesDir}`);
  } catch (error) {
    return fail(
      'engines',
      `TensorRT engines cannot be kept in ${enginesDir} (${(error as NodeJS.ErrnoException).code ?? String(error)}): every start would build them for minutes`,
      `sudo chown -R "$(id -u)" ${folder}; in a container, mount a volume at the data folder`,
    );
  }
}

/** Cameras over UDP lose packets in bursts (key frames) when the socket's buffer is small. */
export async function checkUdp(host: Host): Promise<Finding[]> {
  // Hidden in a container with a network of its own: then the host's value holds and cannot be read.
  const text = await host.readText('/proc/sys/net/core/rmem_max');
  if (text === undefined) return [];
  if (Number(text) >= UDP_BUFFER_BYTES) {
    return [ok('udp', `Sockets may have ${text} bytes of buffer`)];
  }
  return [
    warn(
      'udp',
      `Sockets may have only ${text} bytes of buffer: cameras over UDP lose packets (transport: tcp is not affected)`,
      'echo net.core.rmem_max=4194304 | sudo tee /etc/sysctl.d/60-sightline.conf && sudo sysctl --system',
    ),
  ];
}
