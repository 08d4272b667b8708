import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import type { SightlineError } from '../../src/common/errors.ts';
import type { EngineProgress } from '../../src/control/types.ts';
import { until } from '../support/wait.ts';
import { engineBench, needing } from './engines.ts';
import { runs, specOf, startOrchestrator, untilState, untilTold } from './support.ts';

const SILENT = { signal: new AbortController().signal, onProgress: () => undefined };

function fails(code: string, pattern: RegExp) {
  return (error: SightlineError) => error.code === code && pattern.test(error.message);
}

test('a stream is preparing while its engine is built, says which and how long, then becomes live', async (t) => {
  const bench = await engineBench(t, 'slow');
  const request = bench.request();
  const compiler = needing(request);
  const { orchestrator } = await startOrchestrator(t, { compiler, engines: bench.store });
  await orchestrator.createStream(specOf('cam'));
  await until('the builder runs', 10_000, () => bench.starts().length === 1);
  await until('a figure of time in the reason', 5_000, () =>
    /Building .* for [1-9]\d* s/.test(orchestrator.getStream('cam').status.reason?.message ?? ''),
  );
  const { state, reason } = orchestrator.getStream('cam').status;
  assert.equal(state, 'preparing');
  assert.equal(reason!.code, 'SL_ENGINE_PREPARING');
  assert.match(reason!.message, /tiny 1 \(fp16, batch 4, GPU 0\).*takes minutes/);
  assert.equal(orchestrator.workers()[0]!.pid, undefined, 'no worker before its engine');
  bench.go();
  await untilState(orchestrator, 'cam', 'live');
  assert.equal(orchestrator.getStream('cam').status.reason, undefined);
  const { built, failed, building } = bench.store.stats;
  assert.deepEqual({ built, failed, building }, { built: 1, failed: 0, building: 0 });
  const marker = JSON.parse(readFileSync(join(dirname(request.engineFile), 'engine.json'), 'utf8'));
  assert.equal(marker.size, statSync(request.engineFile).size);
});

test('an engine in the cache is used at once: the stream was never preparing', async (t) => {
  const bench = await engineBench(t, 'good');
  const request = bench.request();
  await bench.store.ensure([request], SILENT);
  const compiler = needing(request);
  const { orchestrator } = await startOrchestrator(t, { compiler, engines: bench.store });
  await orchestrator.createStream(specOf('cam'));
  await untilState(orchestrator, 'cam', 'live');
  const told = orchestrator.events.recent(1_000).map(({ type }) => type);
  assert.ok(!told.includes('stream.preparing'), told.join());
  assert.equal(bench.starts().length, 1);
  assert.equal(bench.store.stats.reused, 1);
});

test('streams that need one engine wait for one build', async (t) => {
  const bench = await engineBench(t, 'slow');
  const compiler = needing(bench.request());
  const { orchestrator } = await startOrchestrator(t, { compiler, engines: bench.store });
  const ids = ['a', 'b', 'c'];
  for (const id of ids) await orchestrator.createStream(specOf(id));
  for (const id of ids) await untilState(orchestrator, id, 'preparing');
  bench.go();
  for (const id of ids) await untilState(orchestrator, id, 'live', 10_000);
  assert.equal(bench.starts().length, 1);
  assert.equal(bench.store.stats.built, 1);
});

test('one engine is built at a time, and the next one says that it waits', async (t) => {
  const bench = await engineBench(t, 'slow');
  const [first, second] = [bench.request(), bench.request({ batchSize: 8 })];
  const seen: EngineProgress[] = [];
  const waiting = [
    bench.store.ensure([first], SILENT),
    bench.store.ensure([second], { ...SILENT, onProgress: (progress) => seen.push(progress) }),
  ];
  await until('the first builder runs', 10_000, () => bench.starts().length === 1);
  await until('progress of the second', 5_000, () => seen.length >= 2);
  assert.ok(seen.every(({ phase }) => phase === 'queued'));
  assert.equal(bench.store.stats.building, 1);
  bench.go();
  await Promise.all(waiting);
  assert.deepEqual(
    bench.starts().map(([, key]) => key),
    [first.key, second.key],
  );
});

test('a build that fails puts the stream into backoff with the last lines of the builder', async (t) => {
  const bench = await engineBench(t, 'fail');
  const compiler = needing(bench.request());
  const { orchestrator } = await startOrchestrator(t, { compiler, engines: bench.store });
  await orchestrator.createStream(specOf('cam'));
  const { id } = await untilTold(orchestrator, 'stream.backoff', 0);
  const again = await untilTold(orchestrator, 'stream.backoff', id);
  assert.equal(again['code'], 'SL_ENGINE_FAILED');
  assert.match(
    String(again['message']),
    /tiny 1 \(fp16.*Failed to create NvDsInferContext.*ERROR: failed to build trt engine\./,
  );
  assert.ok(bench.store.stats.failed >= 2);
  await orchestrator.removeStream('cam');
});

test('a builder that dies by a signal is a failure that says so, and leaves no marked engine', async (t) => {
  const bench = await engineBench(t, 'crash');
  const request = bench.request();
  await assert.rejects(
    bench.store.ensure([request], SILENT),
    fails('SL_ENGINE_FAILED', /killed by SIGSEGV/),
  );
  assert.equal(await bench.cache.ready(request), false);
});

test('nvinfer that ran without leaving an engine is a failure that names the file', async (t) => {
  const bench = await engineBench(t, 'no-engine');
  await assert.rejects(
    bench.store.ensure([bench.request()], SILENT),
    fails('SL_ENGINE_FAILED', /left no engine model\.onnx_b4_gpu0_fp16\.engine in /),
  );
});

test('a build that takes too long is ended, its process too', async (t) => {
  const bench = await engineBench(t, 'slow', { limitMs: 2_000 });
  await assert.rejects(
    bench.store.ensure([bench.request()], SILENT),
    fails('SL_ENGINE_FAILED', /not built within 2 s/),
  );
  for (const [pid] of bench.starts()) assert.ok(!runs(pid));
});

test('removing the stream ends the build, and what it half wrote is removed before the next', async (t) => {
  const bench = await engineBench(t, 'slow');
  const request = bench.request();
  const compiler = needing(request);
  const { orchestrator } = await startOrchestrator(t, { compiler, engines: bench.store });
  await orchestrator.createStream(specOf('cam'));
  await until('half an engine', 10_000, () => existsSync(request.engineFile));
  await orchestrator.removeStream('cam');
  const pid = bench.starts()[0]![0];
  await until('the builder is gone', 5_000, () => !runs(pid));
  assert.equal(await bench.cache.ready(request), false);
  bench.go();
  await orchestrator.createStream(specOf('cam'));
  await untilState(orchestrator, 'cam', 'live', 10_000);
  assert.deepEqual(
    bench.starts().map(([, , found]) => found),
    ['clean', 'clean'],
  );
});

test('a stream that leaves does not end the build others wait for', async (t) => {
  const bench = await engineBench(t, 'slow');
  const request = bench.request();
  const leaving = new AbortController();
  const left = bench.store.ensure([request], { ...SILENT, signal: leaving.signal });
  const stays = bench.store.ensure([request], SILENT);
  await until('the builder runs', 10_000, () => bench.starts().length === 1);
  leaving.abort();
  await assert.rejects(left, fails('SL_CLOSED', /given up/));
  bench.go();
  await stays;
  assert.equal(bench.starts().length, 1);
});

test('asking again right after giving up starts a build of its own', async (t) => {
  const bench = await engineBench(t, 'slow');
  const request = bench.request();
  const leaving = new AbortController();
  const left = bench.store.ensure([request], { ...SILENT, signal: leaving.signal });
  await until('the builder runs', 10_000, () => bench.starts().length === 1);
  leaving.abort();
  await assert.rejects(left);
  bench.go();
  await bench.store.ensure([request], SILENT);
  assert.equal(bench.starts().length, 2);
});

test('an engine whose builder was killed half way, its control process too, is not used', async (t) => {
  const bench = await engineBench(t, 'good');
  const request = bench.request();
  await bench.cache.prepare(request);
  writeFileSync(request.engineFile, 'half of an ');
  await bench.store.ensure([request], SILENT);
  assert.deepEqual(
    bench.starts().map(([, , found]) => found),
    ['clean'],
  );
  assert.equal(readFileSync(request.engineFile, 'utf8'), `half of an engine for ${request.key}`);
});

test('while another process builds, a build waits, and uses what that one made', async (t) => {
  const bench = await engineBench(t, 'good');
  const request = bench.request();
  const lock = bench.cache.tryLock()!;
  const seen: EngineProgress[] = [];
  const waiting = bench.store.ensure([request], {
    ...SILENT,
    onProgress: (progress) => seen.push(progress),
  });
  await until('progress', 5_000, () => seen.length >= 2);
  assert.equal(bench.starts().length, 0);
  await bench.cache.prepare(request);
  writeFileSync(request.engineFile, 'made elsewhere');
  await bench.cache.complete(request, { buildSeconds: 1 });
  lock.release();
  await waiting;
  assert.equal(bench.starts().length, 0);
});
