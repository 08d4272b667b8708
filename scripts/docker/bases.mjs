// Stand-ins for the base images, made with debootstrap. Each says what of the real image it is not.
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { CERTIFICATES, makeBareSystem, run } from '../bare-system.mjs';
import { chrootWords, spawnIn } from './chroot.mjs';

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
// Beside the system's own file, which installing ca-certificates writes anew.
export const OUR_CERTIFICATES = '/etc/ssl/certs/this-machine.crt';

async function inRoot(root, script, log) {
  const words = chrootWords({ root, env: { PATH }, workdir: '/', user: 'root' }, [
    ...['/bin/sh', '-euc', script],
  ]);
  const child = spawnIn(root, words, { stdio: ['ignore', log, log] });
  const status = await new Promise((resolve) => child.once('exit', resolve));
  if (status !== 0) throw new Error(`Making a base system failed (${status}): ${script}`);
}

/** Node as the official image has it, in /usr/local, from the npm package that carries the same build. */
function addNode(root, version) {
  const folder = mkdtempSync(join(tmpdir(), 'sightline-node-'));
  try {
    const name = `node-linux-${process.arch}@${version}`;
    const { status, stdout } = spawnSync('npm', ['pack', '--silent', name], {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (status !== 0) throw new Error(`npm pack ${name} failed (${status})`);
    run('tar', '-xzf', join(folder, stdout.trim().split('\n').at(-1)), '-C', folder);
    for (const part of ['bin', 'include']) {
      cpSync(join(folder, 'package', part), join(root, 'usr/local', part), { recursive: true });
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const npm = join(dirname(dirname(process.execPath)), 'lib/node_modules/npm');
  cpSync(npm, join(root, 'usr/local/lib/node_modules/npm'), { recursive: true });
  run('ln', '-s', '../lib/node_modules/npm/bin/npm-cli.js', join(root, 'usr/local/bin/npm'));
}

async function makeNode(root, [, major], log) {
  addNode(root, major);
  await inRoot(root, 'groupadd --gid 1000 node && useradd --uid 1000 --gid node -m node', log);
}

const DEEPSTREAM = '/opt/nvidia/deepstream/deepstream-9.1';
const STUB_SCRIPT = `# Stand-in for NVIDIA's script: Ubuntu's codecs again, then the files of /tmp99. Errors do not stop it.
apt-get update
apt-get install -y gstreamer1.0-libav
apt-get install --reinstall -y gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly \\
  libavcodec60 libavutil58 libavformat60 libavfilter9 libx264-164 libx265-199
cp /tmp99/*.so /usr/lib/$(uname -m)-linux-gnu/gstreamer-1.0/
rm -rf ~/.cache/gstreamer-1.0/
`;
const PATCHED = ['libgstrtpmanager.so', 'libgstrtsp.so', 'libgstvideoparsersbad.so'];
const DELETED = [
  ...['libgstx264.so', 'libgstx265.so', 'libgstopenh264.so', 'libgstvpx.so', 'libgstfaad.so'],
  ...['libgstvoaacenc.so', 'libgstnvcodec.so', 'libgstflac.so', 'libgstaudioparsers.so'],
];

/** Ubuntu 24.04 with GStreamer, its codecs deleted as NVIDIA deletes them, and a tree without one NVIDIA binary. */
async function makeDeepStream(root, _, log) {
  await inRoot(
    root,
    `export DEBIAN_FRONTEND=noninteractive; apt-get update -q; apt-get install -y -q --no-install-recommends \
     gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly gstreamer1.0-tools; groupadd -f video`,
    log,
  );
  const folder = join(root, DEEPSTREAM);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'version'), 'Version: 9.1\n');
  writeFileSync(join(folder, 'user_additional_install.sh'), STUB_SCRIPT);
  run('ln', '-s', 'deepstream-9.1', join(root, '/opt/nvidia/deepstream/deepstream'));
  const entry = join(folder, 'entrypoint.sh');
  writeFileSync(entry, '#!/bin/sh\necho a banner; exec $@\n');
  chmodSync(entry, 0o755);
  const libraries = readdirSync(join(root, 'usr/lib')).find((name) => name.endsWith('-linux-gnu'));
  const plugins = join(root, 'usr/lib', libraries, 'gstreamer-1.0');
  mkdirSync(join(root, 'tmp99'));
  for (const name of PATCHED) {
    const copy = join(root, 'tmp99', name);
    cpSync(join(plugins, name), copy);
    // Other bytes than Ubuntu's, so that it can be told which one is in place; the loader does not read so far.
    appendFileSync(copy, 'patched');
  }
  for (const name of DELETED) rmSync(join(plugins, name), { force: true });
  for (const name of readdirSync(dirname(plugins))) {
    if (/^lib(swresample|avcodec|avutil|avformat|x264)\.so/.test(name)) {
      rmSync(join(dirname(plugins), name));
    }
  }
}

const BASES = [
  {
    pattern: /^node:(\d+)-bookworm-slim$/,
    suite: 'bookworm',
    packages: [],
    make: makeNode,
    env: { PATH },
    notes: (image) => [
      `${image}: debootstrap bookworm (minbase) with Node of the npm package node-linux-${process.arch} and this machine's npm`,
    ],
  },
  {
    pattern: /^nvcr\.io\/nvidia\/deepstream:9\.1-/,
    suite: 'noble',
    packages: [],
    make: makeDeepStream,
    // What NVIDIA's x86 image sets and ours keeps; a library that is not there would make the loader complain.
    env: { PATH, NVIDIA_VISIBLE_DEVICES: 'all' },
    notes: (image) => [
      `${image}: debootstrap noble (minbase) with Ubuntu's GStreamer; no file of NVIDIA's is in it`,
      "user_additional_install.sh: a stub of ours that installs Ubuntu's codecs; NVIDIA's was not executed",
      '/tmp99: three Ubuntu plugins with bytes appended, for the patched RTP plugins of NVIDIA',
      'LD_PRELOAD, LD_LIBRARY_PATH and the apt sources of the real image (CUDA, Jetson): not set',
      'TensorRT, CUDA, the driver, every nv* element, /dev/nvidia*, the NVIDIA container runtime: absent',
      'libsightline_parsers.so and the metadata reader: built without headers of DeepStream',
    ],
  },
];

/**
 * The folder of a base image's stand-in, made once and kept in `cache`.
 * @returns {Promise<{ root: string, env: Record<string, string>, notes: string[] }>}
 */
export async function makeBase(image, cache, log) {
  const base = BASES.find(({ pattern }) => pattern.test(image));
  if (base === undefined) throw new Error(`There is no stand-in for the base image ${image}`);
  const bare = join(cache, `bare-${base.suite}`);
  const root = join(cache, image.replace(/\W+/g, '-'));
  const result = { root, env: base.env, notes: base.notes(image) };
  if (existsSync(`${root}.made`)) return result;
  if (!existsSync(`${bare}.made`)) {
    rmSync(bare, { recursive: true, force: true });
    mkdirSync(cache, { recursive: true });
    makeBareSystem(base.suite, bare, base.packages);
    if (existsSync(CERTIFICATES)) {
      mkdirSync(join(bare, dirname(OUR_CERTIFICATES)), { recursive: true });
      cpSync(CERTIFICATES, join(bare, OUR_CERTIFICATES), { dereference: true });
    }
    writeFileSync(`${bare}.made`, '');
  }
  rmSync(root, { recursive: true, force: true });
  run('cp', '-a', '--reflink=auto', bare, root);
  await base.make(root, base.pattern.exec(image), log);
  writeFileSync(`${root}.made`, '');
  return result;
}
