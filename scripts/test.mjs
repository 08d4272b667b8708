#!/usr/bin/env node
// `npm test`: set-up, then every check and test. `npm test -- --only lint,native,ts` runs some parts.
import { spawn } from 'node:child_process';
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

/** Runs a command; with `isBeside` its output is shown whole at its end, since others run at the same time. */
function runOne([title, [command, ...args], env], { isBeside }) {
  if (!isBeside) process.stdout.write(`\n=== ${title}\n`);
  const startedAt = performance.now();
  const output = isBeside ? 'pipe' : 'inherit';
  const child = spawn(command, args, {
    cwd: ROOT,
    stdio: ['ignore', output, output],
    env: { ...process.env, ...env },
  });
  const chunks = isBeside ? [`\n=== ${title}\n`] : [];
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (data) => chunks.push(data));
  child.on('error', (error) => chunks.push(`${command}: ${error.message}\n`));
  return new Promise((resolve) => {
    // Also after an error.
    child.on('close', (status) => {
      for (const chunk of chunks) process.stdout.write(chunk);
      resolve({ title, ok: status === 0, seconds: (performance.now() - startedAt) / 1000 });
    });
  });
}

async function runAll(commands, options) {
  const results = [];
  for (const command of commands) results.push(await runOne(command, options));
  return results;
}

const chosen = chosenParts(process.argv.slice(2));
await setUpOrExit('test');
if (testEnv().SIGHTLINE_BROWSER === undefined) {
  process.stdout.write(
    'No browser found: the page test cannot run. Install chromium or set SIGHTLINE_BROWSER=/path/to/one.\n',
  );
}

const commands = parts();
// What takes one core each goes side by side; the TypeScript tests take all there are.
const beside = chosen.filter((name) => name !== 'ts');
const results = (
  await Promise.all(beside.map((name) => runAll(commands[name], { isBeside: beside.length > 1 })))
).flat();
if (chosen.includes('ts')) results.push(...(await runAll(commands.ts, { isBeside: false })));
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
