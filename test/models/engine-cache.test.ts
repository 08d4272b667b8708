import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, statSync, truncateSync, utimesSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ROOT } from '../../src/common/paths.ts';
import { EngineCache } from '../../src/models/engine-cache.ts';
import { type EngineFacts, engineKey, engineLayout } from '../../src/models/engine-key.ts';
import { moduleUrl, scriptArgs } from '../support/programs.ts';
import { makeFolder } from './model-folder.ts';

const FACTS: EngineFacts = {
  modelSha256: 'ab'.repeat(32),
  precision: 'fp16',
  batchSize: 4,
  gpuId: 0,
  inputDims: [3, 64, 96],
  gpuName: 'NVIDIA L4',
  computeCapability: '8.9',
  tensorRt: '10.16.1.11',
  deepStream: '9.1',
};
const DAY_MS = 24 * 3600 * 1000;

async function bench(t: TestContext, where?: string) {
  const folder = await makeFolder(t);
  const sourceFile = join(folder, 'model.onnx');
  await writeFile(sourceFile, 'a model');
  const cache = await EngineCache.open(where ?? join(folder, 'a', 'cache'));
  const engine = (more: Partial<EngineFacts> = {}) => {
    const facts = { ...FACTS, ...more };
    const { precision, batchSize } = facts;
    const place = engineLayout(cache.directory, facts);
    return { ...place, model: 'tiny 1', precision, batchSize, sourceFile };
  };
  /** What nvinfer does. */
  const build = async (target: ReturnType<typeof engine>, text = 'an engine') => {
    await cache.prepare(target);
    await writeFile(target.engineFile, text);
    await cache.complete(target, { buildSeconds: 7 });
    return target;
  };
  return { folder, cache, sourceFile, engine, build };
}

test('the key changes with each fact an engine depends on, and with nothing else', () => {
  const key = engineKey(FACTS);
  assert.match(key, /^[0-9a-f]{32}$/);
  assert.equal(engineKey({ ...FACTS }), key);
  const others: Partial<EngineFacts>[] = [
    { modelSha256: 'cd'.repeat(32) },
    { precision: 'fp32' },
    { precision: 'int8', calibrationSha256: 'ee'.repeat(32) },
    { precision: 'int8', calibrationSha256: 'ff'.repeat(32) },
    { batchSize: 5 },
    { gpuId: 1 },
    { inputDims: [3, 96, 64] },
    { gpuName: 'NVIDIA L40' },
    { computeCapability: '9.0' },
    { tensorRt: '10.14.1.48' },
    { deepStream: '9.0' },
  ];
  const keys = others.map((more) => engineKey({ ...FACTS, ...more }));
  assert.equal(new Set([key, ...keys]).size, others.length + 1);
});

test('the engine stands where nvinfer writes it: named after the model that it was given', () => {
  const { key, onnxFile, engineFile } = engineLayout('/cache', FACTS);
  assert.equal(onnxFile, `/cache/${key}/model.onnx`);
  assert.equal(engineFile, `/cache/${key}/model.onnx_b4_gpu0_fp16.engine`);
});

test('an engine is ready once it was marked, and the mark says what it is', async (t) => {
  const { cache, engine } = await bench(t);
  const target = engine();
  assert.equal(await cache.ready(target), false);
  await cache.prepare(target);
  await writeFile(target.engineFile, 'an engine');
  assert.equal(await cache.ready(target), false, 'a build may still write');
  await cache.complete(target, { buildSeconds: 7 });
  assert.equal(await cache.ready(target), true);
  const mark = JSON.parse(await readFile(join(target.folder, 'engine.json'), 'utf8'));
  assert.deepEqual(
    [mark.model, mark.precision, mark.batchSize, mark.buildSeconds, mark.size],
    ['tiny 1', 'fp16', 4, 7, 9],
  );
});

test('the model lies beside the engine as a file of its own name, which nvinfer cannot follow elsewhere', async (t) => {
  const { cache, engine, sourceFile } = await bench(t);
  const target = engine();
  await cache.prepare(target);
  // realpath(), as nvinfer does.
  const { stdout } = spawnSync('realpath', [target.onnxFile], { encoding: 'utf8' });
  assert.equal(stdout.trim(), target.onnxFile);
  assert.equal(statSync(target.onnxFile).ino, statSync(sourceFile).ino, 'without a copy');
});

test('on another file system the model is copied', async (t) => {
  const other = await mkdtemp('/dev/shm/sightline-cache-').catch(() => undefined);
  if (other === undefined || statSync(other).dev === statSync('/tmp').dev) {
    return t.skip('/dev/shm is no other file system here');
  }
  t.after(() => rm(other, { recursive: true, force: true }));
  const { cache, engine } = await bench(t, other);
  const target = engine();
  await cache.prepare(target);
  assert.equal(await readFile(target.onnxFile, 'utf8'), 'a model');
});

test('an engine that was cut off, changed or lost its model is not ready', async (t) => {
  const { cache, engine, build } = await bench(t);
  const cut = await build(engine());
  truncateSync(cut.engineFile, 3);
  assert.equal(await cache.ready(cut), false);
  const changed = await build(engine({ batchSize: 2 }));
  await writeFile(changed.engineFile, 'AN ENGINE');
  assert.equal(await cache.ready(changed), false, 'of the same size');
  const grown = await build(engine({ batchSize: 3 }));
  appendFileSync(grown.engineFile, '!');
  assert.equal(await cache.ready(grown), false);
  const torn = await build(engine({ batchSize: 5 }));
  await writeFile(join(torn.folder, 'engine.json'), '{"size": 9, "sha');
  assert.equal(await cache.ready(torn), false);
  const alone = await build(engine({ batchSize: 6 }));
  await rm(alone.onnxFile);
  assert.equal(await cache.ready(alone), false);
});

test('before a build nothing is left that nvinfer could take for an engine', async (t) => {
  const { cache, engine, build } = await bench(t);
  const target = await build(engine());
  await writeFile(join(target.folder, 'model.onnx_b4_gpu0_fp32.engine'), 'of a fall-back');
  await cache.prepare(target);
  assert.deepEqual(await readdir(target.folder), ['model.onnx']);
});

test('a build that left another engine than the one asked for is named', async (t) => {
  const { cache, engine } = await bench(t);
  const target = engine({ precision: 'int8' });
  await cache.prepare(target);
  await writeFile(join(target.folder, 'model.onnx_b4_gpu0_fp16.engine'), 'fell back');
  await assert.rejects(cache.complete(target, { buildSeconds: 1 }), {
    code: 'SL_ENGINE_FAILED',
    message: /left no engine .*_int8\.engine .*there is: .*_fp16\.engine/,
  });
  assert.equal(await cache.ready(target), false);
});

test('a folder that cannot be written is refused at once, naming the setting', async (t) => {
  const folder = await makeFolder(t);
  await writeFile(join(folder, 'file'), '');
  await assert.rejects(EngineCache.open(join(folder, 'file', 'cache')), {
    code: 'SL_CONFIG_INVALID',
    message: /Cannot use .*file\/cache.*deepstream\.cacheDir/,
  });
  // Root may write anywhere but here.
  await assert.rejects(EngineCache.open('/sys/sightline'), { code: 'SL_CONFIG_INVALID' });
});

test('files of another cache are never touched', async (t) => {
  const { cache, engine, folder } = await bench(t);
  const target = { ...engine(), engineFile: join(folder, 'model.onnx') };
  await assert.rejects(cache.prepare(target), { code: 'SL_INTERNAL' });
  assert.ok(existsSync(join(folder, 'model.onnx')));
  await assert.rejects(cache.prepare({ ...engine(), key: '..' }), { code: 'SL_INTERNAL' });
});

test('prune() removes what was unused for long, then the longest unused beyond the size, and says so', async (t) => {
  const { cache, engine, build } = await bench(t);
  const engines = await Promise.all([2, 3, 4, 5].map((batchSize) => build(engine({ batchSize }))));
  const nowMs = Date.now();
  const days = [100, 3, 2, 1];
  for (const [index, { folder }] of engines.entries()) {
    const used = new Date(nowMs - days[index]! * DAY_MS);
    utimesSync(join(folder, 'engine.json'), used, used);
  }
  await mkdir(join(cache.directory, 'something else'));
  await symlink('/', join(cache.directory, 'a link'));
  const left = async () =>
    (await readdir(cache.directory)).filter((name) => /^[0-9a-f]{32}$/.test(name)).sort();
  const one = (await sizeOf(engines[0]!.folder)) + 1;
  assert.deepEqual(await cache.prune({ nowMs, keep: new Set([engines[0]!.key]) }), {
    removed: 0,
    removedBytes: 0,
    kept: 4,
    keptBytes: await sizeOf(cache.directory),
  });
  const { removed } = await cache.prune({ nowMs });
  assert.equal(removed, 1);
  assert.deepEqual(
    await left(),
    engines
      .slice(1)
      .map(({ key }) => key)
      .sort(),
  );
  // Use makes young.
  await cache.ready(engines[1]!);
  assert.equal((await cache.prune({ nowMs, maxBytes: 2 * one })).removed, 1);
  assert.deepEqual(await left(), [engines[1]!.key, engines[3]!.key].sort());
  assert.ok(existsSync(join(cache.directory, 'something else')));
  assert.ok(existsSync('/usr'));
});

/** Bytes of the files of engines in a folder of one, or of all. */
async function sizeOf(folder: string): Promise<number> {
  let sum = 0;
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const info = await stat(path);
    if (info.isDirectory() && /^[0-9a-f]{32}$/.test(name)) sum += await sizeOf(path);
    else if (info.isFile() && /^(model|engine)/.test(name)) sum += info.size;
  }
  return sum;
}

test('while another process holds the cache, nothing is removed and the lock cannot be taken', async (t) => {
  const { cache, engine, build } = await bench(t);
  await build(engine());
  const script = `
    import { EngineCache } from '${moduleUrl('src/models/engine-cache.ts')}';
    const cache = await EngineCache.open(process.argv[1]);
    console.log(cache.tryLock() === undefined, (await cache.prune({ maxBytes: 0 })).removed);`;
  const run = () =>
    spawnSync(process.execPath, [...scriptArgs(script), cache.directory], {
      cwd: ROOT,
      encoding: 'utf8',
    });
  const lock = cache.tryLock()!;
  assert.equal(run().stdout.trim(), 'true 0');
  lock.release();
  assert.equal(run().stdout.trim(), 'false 0');
  assert.equal((await cache.prune({ maxBytes: 0 })).removed, 1);
});
