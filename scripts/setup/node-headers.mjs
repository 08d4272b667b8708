import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SetupFailure } from './failure.mjs';

export const NODE_FLOOR = [20, 19, 0];

/**
 * The prefix whose include/node holds the headers of the running node, or undefined. Building against them
 * needs no download, whatever npm's configuration says.
 */
export function nodeDir(execPath = process.execPath) {
  const prefix = dirname(dirname(execPath));
  return existsSync(join(prefix, 'include', 'node', 'node.h')) ? prefix : undefined;
}

/** For npm and the build tools: the headers in place, and no script that fetches binaries. */
export function buildEnv(prefix = nodeDir()) {
  return {
    ...(prefix === undefined ? {} : { npm_config_nodedir: prefix }),
    ONNXRUNTIME_NODE_INSTALL: 'skip',
  };
}

export function checkNode(version = process.versions.node) {
  const parts = version.split('.').map((part) => Number.parseInt(part, 10));
  for (let index = 0; index < NODE_FLOOR.length; index += 1) {
    if (parts[index] > NODE_FLOOR[index]) return;
    if (parts[index] < NODE_FLOOR[index]) {
      throw new SetupFailure(`Node ${version} is too old: ${NODE_FLOOR.join('.')} is the oldest.`, {
        remedy: 'Install a newer Node (https://nodejs.org/en/download) and run the command again.',
      });
    }
  }
}
