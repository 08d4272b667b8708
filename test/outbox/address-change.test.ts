import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../../src/common/paths.ts';
import { programArgs } from '../support/programs.ts';
import { temporaryDir } from './helpers.ts';

const NAMESPACE = process.getuid?.() === 0 ? ['-m'] : ['-rm'];
const CAN_BIND =
  spawnSync('unshare', [...NAMESPACE, 'mount', '--bind', '/etc/hosts', '/etc/hosts']).status === 0;
/** Well below what a sink may take to find its server again. */
const LIMIT_MS = 30_000;

// The resolver of the system answers from a hosts file that the child changes; no sink is told of it.
test('F16: a name that is gone and then has another address is found again by every client within 30 s', {
  skip: CAN_BIND ? false : 'this machine lets no process have an /etc/hosts of its own',
}, (context) => {
  const dir = temporaryDir(context);
  const hosts = join(dir, 'hosts');
  const resolver = join(dir, 'resolv.conf');
  writeFileSync(hosts, '127.0.0.1 localhost\n');
  writeFileSync(resolver, 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n');
  const body =
    'mount --bind "$1" /etc/hosts && mount --bind "$2" /etc/resolv.conf && shift 2 && exec "$@"';
  const program = programArgs('test/outbox/children-of-sinks/moved-endpoint.ts');
  const command = [process.execPath, ...program, hosts, dir];
  const args = ['sh', '-c', body, 'sh', hosts, resolver, ...command];
  const { status, stdout, stderr } = spawnSync('unshare', [...NAMESPACE, ...args], {
    encoding: 'utf8',
    timeout: 90_000,
    cwd: ROOT,
  });
  assert.equal(status, 0, stderr);
  const found = JSON.parse(stdout) as Record<string, { lost: string; foundMs: number }>;
  assert.deepEqual(Object.keys(found).sort(), ['mqtt', 'sqs']);
  for (const [sink, { lost, foundMs }] of Object.entries(found)) {
    assert.equal(lost, 'SL_SINK_UNAVAILABLE', sink);
    assert.ok(foundMs < LIMIT_MS, `${sink} took ${foundMs} ms`);
  }
  context.diagnostic(stdout);
});
