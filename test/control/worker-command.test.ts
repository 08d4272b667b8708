import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PATHS, ROOT } from '../../src/common/paths.ts';
import { withEnvironment, workerCommand } from '../../src/control/worker-command.ts';

test('from source the worker is src/worker/main.ts through tsx, wherever the server was started', () => {
  const { file, args } = workerCommand({});
  assert.equal(file, process.execPath);
  assert.deepEqual(args, [
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
