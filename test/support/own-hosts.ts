import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../src/common/paths.ts';
import { programArgs } from './programs.ts';

const NAMESPACE = process.getuid?.() === 0 ? ['-m'] : ['-rm'];
const CAN_BIND =
  spawnSync('unshare', [...NAMESPACE, 'mount', '--bind', '/etc/hosts', '/etc/hosts']).status === 0;

/** Why `runWithOwnHosts` cannot run here; false: it can. */
export const noOwnHosts: string | false = CAN_BIND
  ? false
  : 'this machine lets no process have an /etc/hosts of its own';

/**
 * Runs a program of ours to whom the resolver of the system answers from a hosts file in `dir`. The file is the program's
 * first argument: it may change what names mean, and `dir` the second.
 */
export function runWithOwnHosts(program: string, dir: string): SpawnSyncReturns<string> {
  const hosts = join(dir, 'hosts');
  const resolver = join(dir, 'resolv.conf');
  writeFileSync(hosts, '127.0.0.1 localhost\n');
  writeFileSync(resolver, 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n');
  const body =
    'mount --bind "$1" /etc/hosts && mount --bind "$2" /etc/resolv.conf && shift 2 && exec "$@"';
  const command = [process.execPath, ...programArgs(program), hosts, dir];
  const args = ['sh', '-c', body, 'sh', hosts, resolver, ...command];
  return spawnSync('unshare', [...NAMESPACE, ...args], {
    encoding: 'utf8',
    timeout: 90_000,
    cwd: ROOT,
  });
}
