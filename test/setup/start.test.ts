import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { ROOT } from '../../src/common/paths.ts';
import { isAlive } from '../support/processes.ts';
import { until } from '../support/wait.ts';
import { ScriptCheckout } from './checkout.ts';

/** start.mjs with a set-up that has nothing to do and a server that reports what reaches it. */
function start(
  checkout: ScriptCheckout,
  server: string,
  [command, ...args]: readonly [string, ...string[]] = [
    process.execPath,
    join(checkout.path, 'scripts', 'start.mjs'),
    '--extra',
  ],
): ChildProcess {
  checkout.write('scripts/setup/main.mjs', 'export async function setUpOrExit() {}\n');
  checkout.write('dist/cli.js', server);
  checkout.write('dist/package.json', '{"type":"module"}');
  return spawn(command, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: checkout.path,
  });
}

const COUNTS_SIGNALS = `
  let count = 0;
  for (const name of ['SIGINT', 'SIGTERM']) {
    process.on(name, () => {
      count += 1;
      console.log(name);
      setTimeout(() => process.exit(40 + count), 300);
    });
  }
  console.log(process.argv.slice(2).join(' '));
  setInterval(() => {}, 1000);`;

describe('npm start', () => {
  it('serves the demo configuration with the arguments it got', async () => {
    using checkout = new ScriptCheckout();
    const child = start(checkout, 'console.log(process.argv.slice(2).join(" "));');
    const [line] = (await once(createInterface({ input: child.stdout! }), 'line')) as [string];
    assert.equal(line, `serve --config ${join(checkout.path, 'configs', 'demo.yaml')} --extra`);
  });

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`passes ${signal} on once, however often it comes, and ends as the server does`, async () => {
      using checkout = new ScriptCheckout();
      const child = start(checkout, COUNTS_SIGNALS);
      const exited = once(child, 'exit');
      await once(createInterface({ input: child.stdout! }), 'line');
      child.kill(signal);
      child.kill(signal);
      assert.deepEqual(await exited, [41, null]);
    });
  }

  it('leaves no server behind when npm is told to end', async () => {
    using checkout = new ScriptCheckout();
    checkout.write('package.json', readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const server = `console.log(process.pid); process.stdout.on('error', () => {});${COUNTS_SIGNALS}`;
    const npm = start(checkout, server, ['npm', 'start', '--silent']);
    const [pid] = (await once(createInterface({ input: npm.stdout! }), 'line')) as [string];
    assert.ok(isAlive(Number(pid)));
    npm.kill('SIGTERM');
    await until('the server has ended', 3000, () => !isAlive(Number(pid)));
  });

  it('ends with the status of a server that fails', async () => {
    using checkout = new ScriptCheckout();
    assert.deepEqual(await once(start(checkout, 'process.exit(7)'), 'exit'), [7, null]);
  });

  it('ends with 128 and the signal when the server is killed', async () => {
    using checkout = new ScriptCheckout();
    const child = start(checkout, 'process.kill(process.pid, "SIGKILL")');
    assert.deepEqual(await once(child, 'exit'), [137, null]);
  });
});
