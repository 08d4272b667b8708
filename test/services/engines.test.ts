import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ROOT } from '../../src/common/paths.ts';
import { commandOf } from '../../src/control/worker-command.ts';
import { createEngines } from '../../src/services/engines.ts';
import { engineBench } from '../control/engines.ts';
import { memoryLogger } from '../control/support.ts';

const BUILDER = join(ROOT, 'test/control/fixtures/fake-builder.mjs');
const SILENT = { signal: new AbortController().signal, onProgress: () => undefined };

async function bench(t: TestContext) {
  const engine = await engineBench(t, 'good');
  const { logger, lines } = memoryLogger();
  const options = {
    cacheDir: engine.cache.directory,
    maxBytes: 1024 ** 2,
    maxAgeDays: 90,
    buildLimitMs: 30_000,
    command: commandOf([process.execPath, BUILDER, 'good']),
    logger,
  };
  return { engine, options, lines };
}

test('the cache of a server is touched when the first engine is asked for, not before', async (t) => {
  const { engine, options } = await bench(t);
  const cacheDir = join(engine.folder, 'later');
  const engines = createEngines({ ...options, cacheDir });
  assert.equal(existsSync(cacheDir), false);
  assert.equal(engines.view(), undefined);
  await engines.open();
  assert.equal(existsSync(cacheDir), true);
  assert.equal(engines.view()!.built, 0);
});

test('an engine is built through the server, and old ones are removed and counted at the next start', async (t) => {
  const { engine, options, lines } = await bench(t);
  const request = engine.request();
  await createEngines(options).store.ensure([request], SILENT);
  const folder = dirname(request.engineFile);
  assert.ok((await readdir(folder)).includes('engine.json'));
  const lastUse = new Date(Date.now() - 91 * 24 * 3600 * 1000);
  await utimes(join(folder, 'engine.json'), lastUse, lastUse);
  const next = createEngines(options);
  await next.open();
  assert.deepEqual([next.view()!.pruned, next.view()!.cacheBytes], [1, 0]);
  assert.equal(existsSync(folder), false);
  assert.ok(
    lines.some((line) => /"removed":1.*engines\.opened/.test(line)),
    lines.join(''),
  );
});

test('a cache that cannot be opened is a clear error, and can be mended without a restart', async (t) => {
  const { engine, options } = await bench(t);
  const file = join(engine.folder, 'in the way');
  await writeFile(file, '');
  const engines = createEngines({ ...options, cacheDir: join(file, 'cache') });
  const refused = { code: 'SL_CONFIG_INVALID', message: /deepstream\.cacheDir/ };
  await assert.rejects(engines.open(), refused);
  await assert.rejects(engines.store.ensure([engine.request()], SILENT), refused);
  await rm(file);
  await engines.open();
});
