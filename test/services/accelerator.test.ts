import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { probeAccelerator } from '../../src/services/accelerator.ts';
import { dgpu, FakeMachine, jetson } from '../doctor/fake-machine.ts';

function probe({ root, env, arch }: FakeMachine) {
  return probeAccelerator({ root, env, arch, maxAgeMs: 0 });
}

describe('probeAccelerator', () => {
  it('says why a plain machine has none', async () => {
    using machine = new FakeMachine();
    const { kind, platform, problems } = await probe(machine);
    assert.equal(kind, 'none');
    assert.equal(platform, undefined);
    assert.match(problems[0] ?? '', /^DeepStream is not installed/);
  });

  it('finds a card with all that the choice of an engine depends on', async () => {
    using machine = dgpu();
    const { onnxRuntimeProblems, ...found } = await probe(machine);
    assert.match(onnxRuntimeProblems?.join() ?? '', /is built for the CPU alone/);
    assert.deepEqual(found, {
      kind: 'deepstream',
      platform: 'dgpu',
      deepstream: '9.1',
      gpuName: 'NVIDIA L4',
      gpus: ['NVIDIA L4'],
      tensorRt: '10.16.1',
      cuda: '13.2.0',
      driver: '595.58.03',
      problems: [],
    });
  });

  it('tells whether ONNX Runtime has its part for GPUs, apart from DeepStream', async () => {
    using machine = dgpu();
    const library = '/opt/ort/libonnxruntime.so.1.30.0';
    machine.env['SIGHTLINE_ONNXRUNTIME'] = library;
    const forCpu = (await probe(machine)).onnxRuntimeProblems;
    assert.equal(forCpu?.length, 1);
    assert.match(forCpu[0]!, new RegExp(`^ONNX Runtime in ${library} is built for the CPU alone`));
    machine.write('/opt/ort/libonnxruntime_providers_cuda.so');
    machine.remove('/opt/nvidia');
    const { kind, onnxRuntimeProblems } = await probe(machine);
    assert.deepEqual([kind, onnxRuntimeProblems], ['none', []]);
    machine.remove('/proc/driver');
    assert.match((await probe(machine)).onnxRuntimeProblems?.join() ?? '', /^No NVIDIA driver/);
  });

  it('finds Jetsons, and which have no encoder', async () => {
    using orin = jetson();
    using nano = jetson('NVIDIA Jetson Orin Nano Developer Kit');
    const found = await probe(orin);
    assert.equal(found.platform, 'jetson');
    assert.equal(found.gpuName, 'NVIDIA Jetson AGX Orin Developer Kit');
    assert.equal(found.driver, 'L4T 39.2');
    assert.equal((await probe(nano)).platform, 'orin-nano');
    orin.env['SIGHTLINE_PLATFORM'] = 'orin-nano';
    assert.equal((await probe(orin)).platform, 'orin-nano');
    orin.env['SIGHTLINE_PLATFORM'] = 'orin';
    assert.match((await probe(orin)).problems.join(), /SIGHTLINE_PLATFORM=orin is no platform/);
  });

  it('takes an ARM machine with a card for SBSA', async () => {
    using machine = dgpu();
    machine.arch = 'arm64';
    machine.write('/usr/lib/aarch64-linux-gnu/libnvinfer.so.10.16.1');
    const { kind, platform } = await probe(machine);
    assert.deepEqual([kind, platform], ['deepstream', 'sbsa']);
  });

  const broken: [string, (machine: FakeMachine) => void, RegExp][] = [
    ['no driver', (machine) => machine.remove('/proc/driver'), /^No NVIDIA driver runs here/],
    ['no device', (machine) => machine.remove('/dev'), /^No device of an NVIDIA GPU/],
    ['no TensorRT', (machine) => machine.remove('/usr/lib'), /^TensorRT is not installed/],
    [
      'a file of DeepStream missing',
      (machine) =>
        machine.remove('/opt/nvidia/deepstream/deepstream/lib/gst-plugins/libnvdsgst_infer.so'),
      /^DeepStream 9\.1 lacks .*libnvdsgst_infer\.so/,
    ],
  ];
  for (const [what, breakIt, problem] of broken) {
    it(`refuses a card with ${what}`, async () => {
      using machine = dgpu();
      breakIt(machine);
      const found = await probe(machine);
      assert.equal(found.kind, 'none');
      assert.equal(found.problems.length, 1);
      assert.match(found.problems[0]!, problem);
    });
  }

  it('refuses an old driver and an old DeepStream', async () => {
    using old = dgpu({ driver: '580.95.05' });
    using eight = dgpu({ deepstream: '8.0' });
    assert.match((await probe(old)).problems.join(), /580\.95\.05 is too old for DeepStream 9\.1/);
    assert.match((await probe(eight)).problems.join(), /DeepStream 8\.0 is too old/);
  });

  it('takes the most exact and newest version that file names tell', async () => {
    using machine = dgpu();
    machine.write('/usr/lib/x86_64-linux-gnu/libnvinfer.so.10.9.0');
    assert.equal((await probe(machine)).tensorRt, '10.16.1');
    machine.write('/opt/tensorrt/lib/libnvinfer.so.10');
    machine.env['LD_LIBRARY_PATH'] = '/opt/absent:/opt/tensorrt/lib';
    assert.equal((await probe(machine)).tensorRt, '10');
  });

  it('starts no program', async () => {
    using machine = dgpu();
    for (const name of ['nvidia-smi', 'ldd', 'dpkg', 'gst-inspect-1.0']) {
      machine.program(name, 'exec /bin/sleep 600');
    }
    assert.equal((await probe(machine)).kind, 'deepstream');
  });

  it('answers again from memory until the answer is old', async () => {
    using machine = dgpu();
    const { root, env, arch } = machine;
    const first = await probeAccelerator({ root, env, arch });
    machine.remove('/proc/driver');
    assert.equal(await probeAccelerator({ root, env, arch }), first);
    assert.equal((await probeAccelerator({ root, env, arch, maxAgeMs: 0 })).kind, 'none');
  });
});
