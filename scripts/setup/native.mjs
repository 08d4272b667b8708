import { rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { buildEnv, nodeDir } from './node-headers.mjs';
import { BUILD_NATIVE, ROOT, tool } from './paths.mjs';

function nodeGypFlags() {
  const prefix = nodeDir();
  return [
    '--release',
    '--jobs',
    String(availableParallelism()),
    ...(prefix === undefined ? [] : ['--nodedir', prefix]),
  ];
}

/** Compiles a package of node_modules (or the project itself, without one) that has a binding.gyp. */
export function buildWithNodeGyp(task, ...packagePath) {
  const cwd = packagePath.length === 0 ? ROOT : tool(...packagePath);
  const nodeGyp = tool('node-gyp', 'bin', 'node-gyp.js');
  return task.run(process.execPath, [nodeGyp, 'rebuild', ...nodeGypFlags()], {
    cwd,
    env: buildEnv(),
  });
}

/** cmake-js on native/: `command` is configure or build. */
export function cmakeJs(task, command, { out = BUILD_NATIVE, target, defines = {} } = {}) {
  return task.run(
    process.execPath,
    [
      tool('cmake-js', 'bin', 'cmake-js'),
      command,
      ...['-d', join(ROOT, 'native'), '-O', out, '-p', String(availableParallelism())],
      ...(target === undefined ? [] : ['-T', target]),
      ...Object.entries(defines).map(([name, value]) => `--CD${name}=${value}`),
    ],
    { env: buildEnv() },
  );
}

/** Configures anew, from nothing when the folder was made with other tools (a failed configure says so). */
export async function configureNative(task, options = {}) {
  try {
    await cmakeJs(task, 'configure', options);
  } catch (error) {
    if (!/generator|CMakeCache/.test(error.tail?.join('\n') ?? '')) throw error;
    rmSync(options.out ?? BUILD_NATIVE, { recursive: true, force: true });
    await cmakeJs(task, 'configure', options);
  }
}
