import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ROOT } from '../../src/common/paths.ts';
import { DEEPSTREAM_ELEMENTS, deepStreamFeatures } from '../../src/services/doctor/elements.ts';
import type { Finding } from '../../src/services/doctor/finding.ts';
import { dgpu, FakeMachine, jetson } from './fake-machine.ts';

function failing(findings: readonly Finding[]): Finding[] {
  return findings.filter(({ level }) => level !== 'ok');
}

/** The one finding of a check that is not ok; there must be no other. */
async function onlyProblem(machine: FakeMachine, check: string): Promise<Finding> {
  const findings = failing(await machine.examine());
  assert.deepEqual(
    findings.map((finding) => finding.check),
    [check],
    JSON.stringify(findings, null, 1),
  );
  return findings[0]!;
}

describe('doctor on a DeepStream machine', () => {
  it('passes a machine without NVIDIA with one line', async () => {
    using machine = new FakeMachine();
    assert.deepEqual(await machine.examine(), [
      {
        check: 'deepstream',
        level: 'ok',
        what: 'DeepStream is not installed: pipelines run on the CPU',
      },
    ]);
  });

  it('finds nothing wrong with a healthy card', async () => {
    using machine = dgpu();
    const findings = await machine.examine();
    assert.deepEqual(failing(findings), []);
    const text = findings.map(({ what }) => what).join('\n');
    assert.match(text, /^DeepStream 9\.1, with the metadata layout of 9\.x/m);
    assert.match(
      text,
      /NVIDIA driver 595\.58\.03 \(DeepStream 9\.1 asks for 595\.58\.03 or later\)/,
    );
    assert.match(text, /GPU 0: NVIDIA L4, 1200 of 23034 MiB in use/);
    assert.match(text, /^CUDA 13\.2\.0$/m);
    assert.match(text, /^TensorRT 10\.16\.1$/m);
  });

  it('finds nothing wrong with a healthy Jetson', async () => {
    using machine = jetson();
    const findings = await machine.examine();
    assert.deepEqual(failing(findings), []);
    const text = findings.map(({ what }) => what).join('\n');
    assert.match(text, /^NVIDIA Jetson AGX Orin Developer Kit$/m);
    assert.match(text, /Jetson Linux 39\.2 \(DeepStream 9\.1 asks for JetPack 7\.2/);
  });

  it('knows that an Orin Nano has no encoder and needs x264enc', async () => {
    using machine = jetson('NVIDIA Jetson Orin Nano Developer Kit');
    assert.deepEqual(failing(await machine.examine()), []);
    machine.elements = machine.elements.filter((name) => name !== 'x264enc');
    const problems = failing(await machine.examine());
    assert.deepEqual(
      problems.map(({ check }) => check),
      ['ds-elements', 'codecs'],
    );
    assert.match(problems[0]!.what, /lacks x264enc: no annotated video/);
    assert.match(problems[0]!.mend ?? '', /user_additional_install\.sh/);
  });

  it('asks for the module where a container hides the device tree', async () => {
    using machine = jetson();
    machine.remove('/proc/device-tree');
    const finding = await onlyProblem(machine, 'gpu');
    assert.match(finding.mend ?? '', /SIGHTLINE_PLATFORM=orin-nano/);
    machine.write('/sys/devices/soc0/machine', 'NVIDIA Jetson AGX Orin Developer Kit\n');
    assert.deepEqual(failing(await machine.examine()), []);
  });

  it('refuses a driver that is too old', async () => {
    using machine = dgpu({ driver: '580.95.05' });
    const finding = await onlyProblem(machine, 'driver');
    assert.equal(finding.level, 'fail');
    assert.equal(
      finding.what,
      'NVIDIA driver 580.95.05 is too old: DeepStream 9.1 asks for 595.58.03 or later',
    );
    assert.match(finding.mend ?? '', /nvidia-driver-595-open/);
  });

  it('refuses DeepStream 8.0 and says what lies elsewhere', async () => {
    using machine = dgpu({ deepstream: '8.0' });
    const problems = failing(await machine.examine());
    assert.equal(problems[0]?.check, 'deepstream');
    assert.match(problems[0]?.what ?? '', /NvDsObjectMeta after rect_params lie 8 bytes earlier/);
    // It came with another CUDA and TensorRT, too.
    assert.deepEqual(
      problems.map(({ check, level }) => `${check} ${level}`),
      ['deepstream fail', 'cuda warn', 'tensorrt warn'],
    );
  });

  it('warns of a DeepStream that it does not know', async () => {
    using machine = dgpu({ deepstream: '9.7' });
    assert.equal((await onlyProblem(machine, 'deepstream')).level, 'warn');
  });

  it('refuses JetPack 6 under DeepStream 9.1, and an Orin under 9.0', async () => {
    using machine = jetson();
    machine.write('/etc/nv_tegra_release', '# R36 (release), REVISION: 4.3, GCID: 1\n');
    assert.match((await onlyProblem(machine, 'driver')).what, /Jetson Linux 36\.4 does not fit/);
    machine.write('/opt/nvidia/deepstream/deepstream-9.1/version', '9.0');
    const problems = failing(await machine.examine());
    assert.match(
      problems.find(({ check }) => check === 'driver')?.what ?? '',
      /DeepStream 9\.0 does not support NVIDIA Jetson AGX Orin/,
    );
  });

  it('names a blacklisted plugin and the library that is known to cause it', async () => {
    using machine = dgpu();
    machine.blacklist = ['libgstnvvideoconvert.so'];
    machine.elements = machine.elements.filter((name) => name !== 'nvvideoconvert');
    const findings = failing(await machine.examine());
    assert.deepEqual(
      findings.map(({ check, level }) => `${check} ${level}`),
      ['ds-elements fail', 'blacklist fail'],
    );
    assert.match(findings[1]!.what, /gave up on libgstnvvideoconvert\.so$/);
    machine.write('/opt/nvidia/deepstream/deepstream/lib/gst-plugins/libcustom2d_preprocess.so');
    const [, again] = failing(await machine.examine());
    assert.match(again!.what, /libcustom2d_preprocess\.so among the plugins is known to crash/);
    assert.match(again!.mend ?? '', /^sudo mv .*libcustom2d_preprocess\.so/);
  });

  it('does not mind libcustom2d_preprocess.so where nothing is blacklisted', async () => {
    using machine = dgpu();
    machine.write('/opt/nvidia/deepstream/deepstream/lib/gst-plugins/libcustom2d_preprocess.so');
    assert.deepEqual(failing(await machine.examine()), []);
  });

  it('finds the codecs that NVIDIA’s images come without', async () => {
    using machine = dgpu();
    machine.elements = machine.elements.filter((name) => !/^(x264enc|avdec_)/.test(name));
    const finding = await onlyProblem(machine, 'codecs');
    assert.equal(finding.level, 'warn');
    assert.match(finding.what, /lacks avdec_h264, avdec_h265, x264enc/);
    assert.match(finding.mend ?? '', /user_additional_install\.sh/);
  });

  it('finds an nvjpegenc that is GStreamer’s own', async () => {
    using machine = dgpu();
    machine.elements.push('nvcodec:nvjpegenc');
    const finding = await onlyProblem(machine, 'ds-elements');
    assert.match(finding.what, /nvjpegenc comes from GStreamer's nvcodec plugin/);
  });

  it('finds a container without the video capability', async () => {
    using machine = dgpu();
    machine.env['NVIDIA_VISIBLE_DEVICES'] = 'all';
    machine.env['NVIDIA_DRIVER_CAPABILITIES'] = 'compute,utility';
    machine.remove('/usr/lib/x86_64-linux-gnu/libnvcuvid.so.1');
    const problems = failing(await machine.examine());
    assert.deepEqual(
      problems.map(({ check, mend }) => [check, mend]),
      [
        ['container', 'docker run -e NVIDIA_DRIVER_CAPABILITIES=all ...'],
        ['codecs', 'docker run --gpus all -e NVIDIA_DRIVER_CAPABILITIES=all ...'],
      ],
    );
    machine.env['NVIDIA_DRIVER_CAPABILITIES'] = 'video,compute,graphics,utility';
    machine.write('/usr/lib/x86_64-linux-gnu/libnvcuvid.so.1');
    assert.deepEqual(failing(await machine.examine()), []);
  });

  it('finds a container that sees no GPU', async () => {
    using machine = dgpu();
    machine.env['NVIDIA_VISIBLE_DEVICES'] = 'void';
    machine.remove('/dev').remove('/proc/driver').program('nvidia-smi', 'exit 9');
    const problems = failing(await machine.examine());
    assert.deepEqual(
      problems.map(({ check }) => check),
      ['driver', 'container', 'devices'],
    );
  });

  it('gives up on an nvidia-smi that hangs, and says what that means', async () => {
    using machine = dgpu();
    machine.program('nvidia-smi', 'exec /bin/sleep 600');
    machine.commandLimitMs = 200;
    const finding = await onlyProblem(machine, 'driver');
    assert.match(finding.what, /nvidia-smi did not answer within 0\.2 s/);
    assert.match(finding.mend ?? '', /dmesg/);
  });

  it('names the library that keeps the tracker from loading', async () => {
    using machine = dgpu();
    machine.lacks('libmosquitto.so.1');
    const [finding] = failing(await machine.examine());
    assert.match(finding?.what ?? '', /does not load: libmosquitto\.so\.1 is not found/);
    assert.equal(finding?.mend, 'sudo apt-get install libmosquitto1');
  });

  it('names files of DeepStream that are missing', async () => {
    using machine = dgpu();
    machine.remove('/opt/nvidia/deepstream/deepstream-9.1/lib/libnvds_meta.so');
    const problems = failing(await machine.examine());
    assert.deepEqual(
      problems.map(({ check }) => check),
      ['deepstream', 'libraries'],
    );
  });

  it('tells Ubuntu’s RTP plugins from others', async () => {
    using machine = dgpu();
    machine.program('dpkg', 'exit 0');
    const finding = await onlyProblem(machine, 'rtp');
    assert.match(
      finding.what,
      /^libgstrtpmanager\.so, libgstrtsp\.so, libgstvideoparsersbad\.so are/,
    );
    assert.match(finding.mend ?? '', /update_rtpmanager\.sh/);
    machine.write('/tmp99/libgstrtpmanager.so');
    assert.match((await onlyProblem(machine, 'rtp')).mend ?? '', /^sudo cp \/tmp99\/libgst/);
  });

  it('warns of small socket buffers and of a card with little memory', async () => {
    using machine = dgpu();
    machine.write('/proc/sys/net/core/rmem_max', '212992\n');
    assert.match((await onlyProblem(machine, 'udp')).what, /only 212992 bytes/);
    machine.remove('/proc/sys');
    assert.deepEqual(failing(await machine.examine()), []);
    machine.program('nvidia-smi', "echo '0, NVIDIA T400, 595.58.03, 2048, 100'");
    assert.equal((await onlyProblem(machine, 'gpu')).level, 'warn');
  });

  it('warns of another TensorRT than the release was made with', async () => {
    using machine = dgpu();
    machine.remove('/usr/lib/x86_64-linux-gnu/libnvinfer.so.10.16.1');
    assert.deepEqual(failing(await machine.examine()), []);
    machine.write('/usr/lib/x86_64-linux-gnu/libnvinfer.so.10.9.0');
    const finding = await onlyProblem(machine, 'tensorrt');
    assert.match(finding.what, /^TensorRT 10\.9\.0, but .* made with 10\.16\.1$/);
  });

  it('warns of a preloaded library that is gone', async () => {
    using machine = dgpu();
    machine.env['LD_PRELOAD'] = '/usr/lib/x86_64-linux-gnu/libgomp.so.1:';
    assert.match((await onlyProblem(machine, 'container')).what, /LD_PRELOAD names files/);
  });

  it('says so where DeepStream is missing on a machine with a GPU', async () => {
    using machine = dgpu();
    machine.remove('/opt/nvidia');
    assert.match(
      (await onlyProblem(machine, 'deepstream')).what,
      /^NVIDIA L4 is here, but DeepStream/,
    );
  });

  const platformsFile = join(ROOT, 'configs', 'deepstream', 'platforms.json');
  it('looks for every element that the backend takes, on each platform', {
    skip: existsSync(platformsFile) ? false : 'configs/deepstream/platforms.json is not there',
  }, () => {
    type Parts = Record<string, { factory: string }>;
    const platforms = JSON.parse(readFileSync(platformsFile, 'utf8')) as Record<
      'dgpu' | 'jetson' | 'orin-nano' | 'sbsa',
      { parts: Parts }
    >;
    for (const [platform, { parts }] of Object.entries(platforms)) {
      const known = new Set([
        ...DEEPSTREAM_ELEMENTS,
        ...Object.values(deepStreamFeatures(platform as 'dgpu')).flat(),
      ]);
      for (const { factory } of Object.values(parts)) {
        assert.ok(known.has(factory), `${factory} on ${platform}`);
      }
    }
  });
});
