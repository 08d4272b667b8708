import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { checkDeepStream } from '../../src/services/doctor/deepstream/check.ts';
import {
  CPU_ELEMENTS,
  DEEPSTREAM_ELEMENTS,
  deepStreamFeatures,
  SIGHTLINE_ELEMENTS,
} from '../../src/services/doctor/elements.ts';
import type { Finding } from '../../src/services/doctor/finding.ts';
import { inspectGStreamer } from '../../src/services/doctor/gstreamer.ts';
import { Host } from '../../src/services/nvidia/host.ts';
import type { NvidiaPlatform } from '../../src/services/nvidia/platform.ts';

const DEEPSTREAM = '/opt/nvidia/deepstream';
const FREE_CODECS = ['x264enc', 'aacparse'];

/** A folder that looks like a machine: files, and programs that print what they are told to. */
export class FakeMachine implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), 'sightline-machine-'));
  readonly env: NodeJS.ProcessEnv = { PATH: join(this.root, 'bin') };
  arch = 'x64';
  elements: string[] = [];
  blacklist: string[] = [];
  commandLimitMs = 5000;

  write(path: string, text = ''): this {
    const file = join(this.root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    return this;
  }

  remove(path: string): this {
    rmSync(join(this.root, path), { recursive: true });
    return this;
  }

  /** A program on the PATH; `shell` runs without one, so it names others by their whole path. */
  program(name: string, shell: string): this {
    this.write(`/bin/${name}`, `#!/bin/sh\n${shell}\n`);
    chmodSync(join(this.root, 'bin', name), 0o755);
    return this;
  }

  /** What `ldd` does not find, for every library. */
  lacks(...libraries: string[]): this {
    const lines = libraries.map((name) => `\t${name} => not found`);
    return this.program(
      'ldd',
      `/bin/cat <<'END'\n\tlibc.so.6 => /lib/libc.so.6\n${lines.join('\n')}\nEND`,
    );
  }

  get host(): Host {
    const { root, env, arch, commandLimitMs } = this;
    return new Host({ root, env, arch, commandLimitMs });
  }

  /** What the doctor finds of DeepStream. */
  async examine(): Promise<readonly Finding[]> {
    this.program('gst-inspect-1.0', inspectScript(this.elements, this.blacklist));
    const enginesDir = join(this.root, 'data', 'engines');
    return checkDeepStream({
      host: this.host,
      inspection: await inspectGStreamer(this.host),
      enginesDir,
    });
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

function inspectScript(elements: readonly string[], blacklist: readonly string[]): string {
  const lines = elements.map((name) => {
    const [plugin, element = plugin] = name.split(':');
    return `${plugin}:  ${element}: An element`;
  });
  const files = blacklist.map((file) => `  ${file}`);
  return `case "$1" in
--version) echo 'GStreamer 1.24.2' ;;
-b) /bin/cat <<'END'
Blacklisted files:
${files.join('\n')}

Total count: ${files.length} blacklisted files
END
;;
*) /bin/cat <<'END'
${lines.join('\n')}
END
;;
esac`;
}

/** DeepStream with everything that belongs to it, but no GPU. */
function installDeepStream(machine: FakeMachine, version: string, tensorRt: string): void {
  const folder = `${DEEPSTREAM}/deepstream-${version}`;
  machine.write(`${folder}/version`, `Version: ${version}\n`);
  symlinkSync(`deepstream-${version}`, join(machine.root, DEEPSTREAM, 'deepstream'));
  for (const file of [
    ...['libnvds_meta.so', 'libnvdsgst_meta.so', 'libnvds_nvmultiobjecttracker.so'],
    ...['gst-plugins/libnvdsgst_infer.so', 'gst-plugins/libnvdsgst_multistream.so'],
  ]) {
    machine.write(`${folder}/lib/${file}`);
  }
  machine.write(`/usr/lib/${machine.host.triplet}/libnvinfer.so.10`);
  machine.write(`/usr/lib/${machine.host.triplet}/libnvinfer.so.${tensorRt}`);
  machine.write('/proc/sys/net/core/rmem_max', '4194304\n');
  machine.lacks();
  machine.program(
    'dpkg',
    `for file in libgstrtpmanager.so libgstrtsp.so libgstvideoparsersbad.so; do
       echo "??5?????? /usr/lib/${machine.host.triplet}/gstreamer-1.0/$file"
     done; exit 2`,
  );
}

function elementsOf(platform: NvidiaPlatform): string[] {
  const all = [
    ...Object.values(CPU_ELEMENTS).flat(),
    ...SIGHTLINE_ELEMENTS,
    ...DEEPSTREAM_ELEMENTS,
    ...Object.values(deepStreamFeatures(platform)).flat(),
    ...FREE_CODECS,
  ];
  return [...new Set(all)];
}

/** An x86 machine with a card, DeepStream 9.1 and all that it asks for. */
export function dgpu({ deepstream = '9.1', driver = '595.58.03' } = {}): FakeMachine {
  const machine = new FakeMachine();
  installDeepStream(machine, deepstream, '10.16.1');
  machine.write(
    '/proc/driver/nvidia/version',
    `NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  ${driver}  Release Build  (builder)\nGCC version:  gcc 13\n`,
  );
  machine.write(
    '/proc/driver/nvidia/gpus/0000:01:00.0/information',
    'Model: \t\t NVIDIA L4\nIRQ:   \t\t 100\n',
  );
  machine.write('/dev/nvidiactl').write('/dev/nvidia0');
  machine.write('/usr/lib/x86_64-linux-gnu/libnvcuvid.so.1');
  machine.write(
    '/usr/local/cuda/version.json',
    '{ "cuda" : { "name" : "CUDA SDK", "version" : "13.2.0" } }',
  );
  machine.program('nvidia-smi', `echo '0, NVIDIA L4, ${driver}, 23034, 1200'`);
  machine.elements = elementsOf('dgpu');
  return machine;
}

/** A Jetson with JetPack 7.2 and DeepStream 9.1. */
export function jetson(model = 'NVIDIA Jetson AGX Orin Developer Kit'): FakeMachine {
  const machine = new FakeMachine();
  machine.arch = 'arm64';
  installDeepStream(machine, '9.1', '10.16.1');
  machine.write('/proc/device-tree/model', `${model}\0`);
  machine.write(
    '/etc/nv_tegra_release',
    '# R39 (release), REVISION: 2.0, GCID: 1234, BOARD: generic, EABI: aarch64, DATE: now\n',
  );
  machine.write('/proc/meminfo', 'MemTotal:       32000000 kB\nMemAvailable:   28000000 kB\n');
  machine.write('/dev/nvmap');
  machine.write('/usr/local/cuda/lib64/libcudart.so.13.2.75');
  machine.elements = elementsOf(/orin nano/i.test(model) ? 'orin-nano' : 'jetson');
  return machine;
}
