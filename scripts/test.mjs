#!/usr/bin/env node
// `npm test`: set-up, then every check and test. `npm test -- --only lint,native,ts` runs some parts.
import { spawnSync } from 'node:child_process';
import { parts, testEnv } from './checks.mjs';
import { setUpOrExit } from './setup/main.mjs';
import { ROOT } from './setup/paths.mjs';

const PARTS = ['lint', 'native', 'ts'];

function chosenParts(args) {
  const at = args.indexOf('--only');
  if (at === -1 && args.length === 0) return PARTS;
  const chosen = (args[at + 1] ?? '').split(',').filter((name) => name !== '');
  const unknown = chosen.filter((name) => !PARTS.includes(name));
  if (at === -1 || args.length !== 2 || chosen.length === 0 || unknown.length > 0) {
    process.stderr.write(`Usage: npm test [-- --only ${PARTS.join(',')}]\n`);
    process.exit(2);
  }
  return chosen;
}

function runOne([title, [command, ...args], env]) {
  process.stdout.write(`\n=== ${title}\n`);
  const startedAt = performance.now();
  const { status, error } = spawnSync(command, args, {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...env },
  });
  if (error !== undefined) process.stdout.write(`${command}: ${error.message}\n`);
  return { title, ok: status === 0, seconds: (performance.now() - startedAt) / 1000 };
}

const chosen = chosenParts(process.argv.slice(2));
await setUpOrExit('test');
if (testEnv().SIGHTLINE_BROWSER === undefined) {
  process.stdout.write(
    'No browser found: the page test cannot run. Install chromium or set SIGHTLINE_BROWSER=/path/to/one.\n',
  );
}

const commands = parts();
const results = chosen.flatMap((name) => commands[name].map(runOne));
const failed = results.filter(({ ok }) => !ok);
process.stdout.write('\n=== Summary\n');
for (const { title, ok, seconds } of results) {
  process.stdout.write(`${ok ? 'ok  ' : 'FAIL'} ${title} (${seconds.toFixed(1)} s)\n`);
}
process.stdout.write(
  failed.length === 0
    ? 'All parts passed.\n'
    : `${failed.length} of ${results.length} parts failed.\n`,
);
process.exit(failed.length === 0 ? 0 : 1);
