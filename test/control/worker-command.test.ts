import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { PATHS, ROOT } from '../../src/common/paths.ts';
import { withEnvironment, workerCommand } from '../../src/control/worker-command.ts';
import { programArgs } from '../support/programs.ts';

test('the worker is of the code that starts it, compiled or through tsx, wherever that was started', () => {
  const { file, args } = workerCommand({});
  assert.equal(file, process.execPath);
  assert.deepEqual(args, programArgs('src/worker/main.ts'));
});

test('from source the worker is src/worker/main.ts through tsx', () => {
  const script = `
    import { workerCommand } from '${pathToFileURL(ROOT).href}/src/control/worker-command.ts';
    process.stdout.write(JSON.stringify(workerCommand({}).args));
  `;
  const args = ['--import', 'tsx', '--input-type=module', '--eval', script];
  const said = execFileSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });
  assert.deepEqual(JSON.parse(said), [
    '--import',
    `file://${ROOT}/node_modules/tsx/dist/loader.mjs`,
    `${ROOT}/src/worker/main.ts`,
  ]);
});

test('a wrapper goes in front', () => {
  const { file, args } = workerCommand({ SIGHTLINE_WORKER_WRAPPER: ' valgrind  --quiet ' });
  assert.equal(file, 'valgrind');
  assert.deepEqual(args.slice(0, 2), ['--quiet', process.execPath]);
});

test('the worker gets what it needs of the environment and no credentials', () => {
  const { env } = workerCommand({
    PATH: '/bin',
    GST_DEBUG: '2',
    GST_PLUGIN_PATH: '/more',
    AWS_SECRET_ACCESS_KEY: 'c4n4ry',
    SIGHTLINE_API_KEY: 'c4n4ry',
    https_proxy: 'http://u:c4n4ry@proxy',
    SIGHTLINE_ONNXRUNTIME: '/lib/ort.so',
  });
  assert.deepEqual(env, {
    MALLOC_ARENA_MAX: '2',
    ORT_DISABLE_TELEMETRY: '1',
    PATH: '/bin',
    GST_DEBUG: '2',
    GST_PLUGIN_PATH: `${PATHS.pluginDir}:/more`,
    GST_REGISTRY: `${PATHS.cache}/gst-registry-${process.arch}.bin`,
    SIGHTLINE_ONNXRUNTIME: '/lib/ort.so',
  });
});

test('a backend sets the variables it may set and no others', () => {
  const command = workerCommand({ PATH: '/bin' });
  const { file, args, env } = withEnvironment(command, {
    USE_NEW_NVSTREAMMUX: 'yes',
    GST_REGISTRY: '/var/lib/sightline/registry.bin',
  });
  assert.deepEqual({ file, args }, { file: command.file, args: command.args });
  assert.deepEqual(env, {
    ...command.env,
    USE_NEW_NVSTREAMMUX: 'yes',
    GST_REGISTRY: '/var/lib/sightline/registry.bin',
  });
  assert.deepEqual(withEnvironment(command).env, command.env);
  for (const [name, value] of [
    ['LD_PRELOAD', '/tmp/evil.so'],
    ['NODE_OPTIONS', '--require=/tmp/evil.js'],
    ['USE_NEW_NVSTREAMMUX', 'perhaps'],
    ['GST_REGISTRY', 'relative.bin'],
  ]) {
    assert.throws(() => withEnvironment(command, { [name!]: value! }), {
      code: 'SL_INTERNAL',
      message: new RegExp(`${name}=`),
    });
  }
});
