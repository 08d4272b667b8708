import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { buildApp } from '../../src/api/app.ts';
import { LiveRecords } from '../../src/common/live-records.ts';
import { PATHS } from '../../src/common/paths.ts';
import { createOrchestrator } from '../../src/control/orchestrator.ts';
import type { StreamView } from '../../src/control/types.ts';
import { workerCommand } from '../../src/control/worker-command.ts';
import type { AcceleratorProbe } from '../../src/services/accelerator.ts';
import { createCompiler } from '../../src/services/compiler.ts';
import { createEngines } from '../../src/services/engines.ts';
import { deliveryDouble } from '../api/delivery-double.ts';
import { memoryLogger, temporaryFolder } from '../control/support.ts';
import { startCamera } from '../support/camera.ts';
import { GPU_MACHINE, NO_GPU, ONNX_GPU, standInEnv } from '../support/stand-in.ts';
import { until } from '../support/wait.ts';

/** Everything of `serve` but the outbox, on a machine that is said to have (or not to have) a GPU. */
async function serverOn(t: TestContext, probe: AcceleratorProbe) {
  const dataDir = temporaryFolder(t);
  const { logger } = memoryLogger();
  const command = workerCommand({ ...process.env, ...standInEnv() });
  const enginesDir = join(dataDir, 'engines');
  const engines = createEngines({
    ...{ cacheDir: enginesDir, command, logger },
    ...{ maxBytes: 1e9, maxAgeDays: 1, buildLimitMs: 60_000 },
  });
  const orchestrator = createOrchestrator({
    dataDir,
    engines: engines.store,
    compiler: createCompiler({
      modelsDir: PATHS.models,
      workDir: join(dataDir, 'work'),
      enginesDir,
      probe: async () => probe,
    }),
    onRecords: () => undefined,
    logger,
    command,
  });
  t.after(() => orchestrator.close({ drainMs: 500 }));
  await orchestrator.start();
  const app = await buildApp({
    orchestrator,
    logger,
    version: '0.0.0',
    delivery: deliveryDouble({ none: true }),
    live: new LiveRecords(),
    models: { list: async () => [], get: async () => Promise.reject(new Error('no model')) },
    notReadyBecause: () => [],
  });
  t.after(() => app.close());
  const create = (spec: object) =>
    app.inject({ method: 'POST', url: '/v1/streams', payload: spec });
  const statusOf = async (id: string) => {
    const answer = await app.inject(`/v1/streams/${id}`);
    return answer.json<StreamView>().status;
  };
  const live = (id: string) =>
    until(`${id} is live with frames`, 60_000, async () => {
      const status = await statusOf(id);
      return status.state === 'live' && status.counters.framesReceived > 10 && status;
    });
  return { app, orchestrator, engines, create, statusOf, live };
}

const INFER = { model: 'centernet-512x384' };

test('on a machine with DeepStream a stream runs there, and its frames say so', async (t) => {
  const server = await serverOn(t, GPU_MACHINE);
  const source = { type: 'rtsp', url: 'rtsp://dock.example/main' };
  const created = await server.create({ id: 'dock', source, infer: INFER });
  assert.equal(created.statusCode, 201);
  const { accelerator } = await server.live('dock');
  const told = server.orchestrator.events.recent().map(({ type }) => type);
  assert.ok(told.includes('stream.preparing'), 'its engine was built before');
  assert.equal(server.engines.view()?.built, 1);
  assert.deepEqual(accelerator, {
    policy: 'prefer-gpu',
    backend: 'deepstream',
    executionProvider: 'TensorRT',
    degraded: false,
  });
  const metrics = (await server.app.inject('/metrics')).body;
  assert.match(
    metrics,
    /sightline_stream_accelerator_info\{stream_id="dock",policy="prefer-gpu",backend="deepstream",execution_provider="TensorRT"\} 1/,
  );
  assert.match(metrics, /sightline_stream_accelerator_fallback\{stream_id="dock"\} 0/);
});

test('without one, prefer-gpu falls back to the CPU and is known to; require-gpu is refused', async (t) => {
  await using camera = await startCamera();
  const server = await serverOn(t, NO_GPU);
  const source = { type: 'rtsp', url: camera.url };
  const refused = await server.create({
    ...{ id: 'must', source, infer: INFER },
    accelerator: 'require-gpu',
  });
  assert.equal(refused.statusCode, 422);
  const problem = refused.json<{ code: string; errors: { message: string }[] }>();
  assert.equal(problem.code, 'SL_GPU_UNAVAILABLE');
  assert.deepEqual(
    problem.errors.map(({ message }) => message),
    NO_GPU.problems,
  );

  assert.equal((await server.create({ id: 'may', source, infer: INFER })).statusCode, 201);
  const status = await server.live('may');
  assert.deepEqual(status.accelerator, {
    policy: 'prefer-gpu',
    backend: 'cpu',
    executionProvider: 'CPUExecutionProvider',
    degraded: true,
    fallbackReason: NO_GPU.problems.join('; '),
  });
  const told = server.orchestrator.events.recent(100).find((e) => e.type === 'stream.accelerator');
  assert.equal(told?.['code'], 'SL_GPU_UNAVAILABLE');
  assert.equal(told['streamId'], 'may');
  assert.equal((await server.app.inject('/readyz')).statusCode, 200);
  const metrics = (await server.app.inject('/metrics')).body;
  assert.match(metrics, /sightline_stream_accelerator_fallback\{stream_id="may"\} 1/);

  // Who asks for the CPU gets it, and that is no fallback.
  assert.equal(
    (await server.create({ id: 'cpu', source, infer: INFER, accelerator: 'cpu' })).statusCode,
    201,
  );
  assert.equal((await server.statusOf('cpu')).accelerator?.degraded, false);
});

test('a GPU that turns out not to work is told by the worker: told and done without, or refused', async (t) => {
  await using camera = await startCamera();
  const server = await serverOn(t, ONNX_GPU);
  const source = { type: 'rtsp', url: camera.url };
  assert.equal((await server.create({ id: 'may', source, infer: INFER })).statusCode, 201);
  const must = { id: 'must', source, infer: INFER, accelerator: 'require-gpu' };
  assert.equal((await server.create(must)).statusCode, 201);

  const { accelerator } = await server.live('may');
  assert.equal(accelerator?.executionProvider, 'CPUExecutionProvider');
  assert.equal(accelerator.degraded, true);
  assert.match(accelerator.fallbackReason ?? '', /^CPUExecutionProvider runs the model: CUDA/);
  const told = server.orchestrator.events.recent(100).filter((e) => e['streamId'] === 'may');
  const warning = told.findLast((e) => e.type === 'stream.accelerator');
  assert.equal(warning?.['code'], 'SL_GPU_UNAVAILABLE');

  const refused = await until('the other one is refused', 30_000, async () => {
    const status = await server.statusOf('must');
    return status.state === 'rejected' && status;
  });
  assert.equal(refused.reason?.code, 'SL_GPU_UNAVAILABLE');
  assert.match(refused.reason.message, /cannot run on GPU 0 with ONNX Runtime/);
});
