import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkValue } from '../../src/common/check.ts';
import { SightlineError } from '../../src/common/errors.ts';
import { PATHS } from '../../src/common/paths.ts';
import type { CompiledPipeline, Compiler } from '../../src/control/types.ts';
import { StreamSpec } from '../../src/pipeline/spec.ts';
import type { AcceleratorProbe } from '../../src/services/accelerator.ts';
import { createCompiler } from '../../src/services/compiler.ts';
import { graphMaker } from '../../src/services/infer/graphs.ts';
import { temporaryFolder } from '../support/server.ts';
import { GPU_MACHINE, NO_GPU, ONNX_GPU } from '../support/stand-in.ts';

function compiler(workDir: string, probe: AcceleratorProbe): Compiler {
  return createCompiler({ modelsDir: PATHS.models, workDir, probe: async () => probe });
}

function stream(more: object = {}): StreamSpec {
  const source = { type: 'rtsp', url: 'rtsp://cam.example/main' };
  return checkValue(
    { id: 'cam', source, infer: { model: 'centernet-512x384' }, ...more },
    StreamSpec,
  );
}

test('prefer-gpu is DeepStream where it is, with every file its elements read', async () => {
  await using folder = await temporaryFolder();
  const compiled = await compiler(folder.path, GPU_MACHINE).stream(stream());
  assert.deepEqual(compiled.accelerator, {
    policy: 'prefer-gpu',
    backend: 'deepstream',
    executionProvider: 'TensorRT',
  });
  const nodes = compiled.graphs.flatMap((graph) => graph.nodes);
  const config = nodes.find(({ factory }) => factory === 'nvinfer')?.properties['config-file-path'];
  const tracker = nodes.find(({ factory }) => factory === 'nvtracker')?.properties[
    'll-config-file'
  ];
  assert.match(await readFile(String(config), 'utf8'), /^\[property\]$/m);
  assert.ok((await readFile(String(tracker), 'utf8')).length > 0);
  assert.equal(compiled.environment?.['USE_NEW_NVSTREAMMUX'], 'no');
  // Loading an engine takes longer than GStreamer's usual start.
  assert.ok(compiled.policy!.startTimeoutMs! > 60_000);
});

test('prefer-gpu without a GPU is the CPU, and says why', async () => {
  await using folder = await temporaryFolder();
  const compiled = await compiler(folder.path, NO_GPU).stream(stream());
  assert.deepEqual(compiled.accelerator, {
    policy: 'prefer-gpu',
    backend: 'cpu',
    executionProvider: 'CPUExecutionProvider',
    fallbackReason: 'DeepStream is not installed; No NVIDIA driver runs here',
  });
  assert.ok(compiled.graphs[0]!.nodes.some(({ factory }) => factory === 'slinfer'));
});

test('what runs no model misses no GPU, and says nothing of one', async () => {
  await using folder = await temporaryFolder();
  const source = { type: 'rtsp', url: 'rtsp://cam.example/main' };
  const sampled = { id: 'cam', source, images: { fps: 1 } };
  const options = { modelsDir: PATHS.models, workDir: folder.path, probe: async () => NO_GPU };
  for (const spec of [sampled, { ...sampled, images: undefined, record: {} }]) {
    const receiver = createCompiler({ ...options, recordDir: folder.path, detector: false });
    const { accelerator } = await receiver.stream(
      checkValue(JSON.parse(JSON.stringify(spec)), StreamSpec),
    );
    assert.equal(accelerator, undefined);
  }
});

test('require-gpu without a GPU is refused with every reason', async () => {
  await using folder = await temporaryFolder();
  const refused = compiler(folder.path, NO_GPU).stream(stream({ accelerator: 'require-gpu' }));
  await assert.rejects(Promise.resolve(refused), (error) => {
    assert.ok(error instanceof SightlineError);
    assert.equal(error.code, 'SL_GPU_UNAVAILABLE');
    assert.deepEqual(error.problems, [
      { pointer: '/accelerator', message: 'DeepStream is not installed' },
      { pointer: '/accelerator', message: 'No NVIDIA driver runs here' },
    ]);
    return true;
  });
});

test('a DeepStream that Sightline does not know is as good as none', async () => {
  await using folder = await temporaryFolder();
  const newer = compiler(folder.path, { ...GPU_MACHINE, deepstream: '12.0' });
  const { accelerator } = await newer.stream(stream());
  assert.equal(accelerator?.backend, 'cpu');
  assert.match(accelerator.fallbackReason ?? '', /DeepStream 12\.0 is installed.* 9\.1/);
  await assert.rejects(Promise.resolve(newer.stream(stream({ accelerator: 'require-gpu' }))), {
    code: 'SL_GPU_UNAVAILABLE',
  });
});

test('cpu asks no machine', async () => {
  await using folder = await temporaryFolder();
  const asked = createCompiler({
    modelsDir: PATHS.models,
    workDir: folder.path,
    probe: () => Promise.reject(new Error('asked')),
  });
  const { accelerator } = await asked.stream(stream({ accelerator: 'cpu' }));
  assert.deepEqual(accelerator, {
    policy: 'cpu',
    backend: 'cpu',
    executionProvider: 'CPUExecutionProvider',
  });
});

test('what only a GPU does is refused without one, and the reason names both', async () => {
  await using folder = await temporaryFolder();
  const annotated = { type: 'rtsp', port: 8600 };
  const refused = compiler(folder.path, NO_GPU).stream(stream({ annotated }));
  await assert.rejects(Promise.resolve(refused), (error) => {
    assert.ok(error instanceof SightlineError);
    assert.equal(error.code, 'SL_BACKEND_UNSUPPORTED');
    assert.match(error.message, /annotated.*The GPU cannot be used: DeepStream is not installed/s);
    return true;
  });
});

test('a model that is missing is told with its place, for each step', async () => {
  await using folder = await temporaryFolder();
  const secondary = [{ id: 'colour', model: 'no-such-model' }];
  const refused = compiler(folder.path, GPU_MACHINE).stream(stream({ secondary }));
  await assert.rejects(Promise.resolve(refused), (error) => {
    assert.ok(error instanceof SightlineError);
    assert.equal(error.code, 'SL_MODEL_NOT_FOUND');
    assert.equal(error.problems[0]?.pointer, '/secondary/0/model');
    return true;
  });
});

test('where the backend does otherwise than the spec says, the notes say so', async () => {
  await using folder = await temporaryFolder();
  const { notes } = await compiler(folder.path, NO_GPU).stream(
    stream({ track: { type: 'nvdcf' } }),
  );
  assert.deepEqual(
    notes?.map(({ pointer }) => pointer),
    ['/track/type'],
  );
});

/** What the elements of a compiled stream are told of the GPU. */
function gpuOf({ graphs }: Pick<CompiledPipeline, 'graphs'>) {
  const nodes = graphs.flatMap((graph) => graph.nodes);
  const { properties } = nodes.find(({ factory }) => factory === 'slinfer')!;
  const names = ['execution-provider', 'gpu-id', 'gpu-required', 'engine-cache-dir', 'batch-size'];
  return Object.fromEntries(names.map((name) => [name, properties[name]]));
}

const CUDA = {
  'execution-provider': 'cuda',
  'gpu-id': 0,
  'gpu-required': false,
  'engine-cache-dir': undefined,
  'batch-size': 1,
};

test('prefer-gpu without DeepStream is ONNX Runtime on the GPU, and a note says why', async () => {
  await using folder = await temporaryFolder();
  const compiled = await compiler(folder.path, ONNX_GPU).stream(stream());
  assert.deepEqual(compiled.accelerator, {
    policy: 'prefer-gpu',
    backend: 'cpu',
    executionProvider: 'CUDAExecutionProvider',
  });
  assert.deepEqual(gpuOf(compiled), CUDA);
  assert.match(compiled.notes?.[0]?.message ?? '', /on the GPU.*: DeepStream is not installed$/);
  // CUDA comes up in the first of them.
  assert.ok(compiled.policy!.startTimeoutMs! > 60_000);
  const cpu = await compiler(folder.path, ONNX_GPU).stream(stream({ accelerator: 'cpu' }));
  assert.equal(gpuOf(cpu)['execution-provider'], undefined);
});

test('require-gpu is passed on to the elements, and TensorRT has a folder for its engines', async () => {
  await using folder = await temporaryFolder();
  const onnxRuntime = { provider: 'tensorrt', gpuId: 1 };
  const compiled = await compiler(folder.path, ONNX_GPU).stream(
    stream({ accelerator: 'require-gpu', onnxRuntime }),
  );
  assert.equal(compiled.accelerator?.executionProvider, 'TensorrtExecutionProvider');
  const engines = join(folder.path, 'engines', 'onnxruntime');
  assert.deepEqual(gpuOf(compiled), {
    ...{ 'execution-provider': 'tensorrt', 'gpu-id': 1, 'gpu-required': true },
    ...{ 'engine-cache-dir': engines, 'batch-size': 1 },
  });
  assert.ok((await stat(engines)).isDirectory());
});

test('what DeepStream cannot do runs on the GPU by ONNX Runtime, where that can', async () => {
  await using folder = await temporaryFolder();
  const both = { ...GPU_MACHINE, onnxRuntimeProblems: [] };
  const unknown = compiler(folder.path, { ...both, deepstream: '12.0' });
  assert.deepEqual(gpuOf(await unknown.stream(stream())), CUDA);
});

test('frames of a queue follow the same policy, eight to a run of the model', async () => {
  await using folder = await temporaryFolder();
  const route = { infer: { model: 'centernet-512x384', interval: 0 } };
  const options = { modelsDir: PATHS.models, workDir: folder.path };
  const on = (probe: AcceleratorProbe, accelerator?: 'require-gpu') =>
    graphMaker(
      { ...route, ...(accelerator && { accelerator }) },
      { ...options, probe: async () => probe },
    );
  const gpu = await on({ ...GPU_MACHINE, onnxRuntimeProblems: [] });
  assert.equal(gpu.accelerator.executionProvider, 'CUDAExecutionProvider');
  assert.deepEqual(gpuOf({ graphs: [await gpu.make('cam', '/socket')] }), {
    ...CUDA,
    'batch-size': 8,
  });
  const cpu = await on(NO_GPU);
  assert.match(cpu.accelerator.fallbackReason ?? '', /^DeepStream has no source for frames/);
  assert.equal(gpuOf({ graphs: [await cpu.make('cam', '/socket')] })['batch-size'], 1);
  await assert.rejects(on(NO_GPU, 'require-gpu'), { code: 'SL_GPU_UNAVAILABLE' });
});
