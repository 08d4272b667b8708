#!/usr/bin/env node
// Makes this checkout ready: `npm run setup` (add `test` for what the tests need). `npm start` and `npm test` call it.
// `--only npm,addon` runs those steps and what they need: the Dockerfiles build in layers.
import { pathToFileURL } from 'node:url';
import { SetupFailure } from './failure.mjs';
import { lockSetup } from './lock.mjs';
import { checkNode } from './node-headers.mjs';
import { Progress } from './progress.mjs';
import { isDone, runSteps } from './run-steps.mjs';
import { checkPackages, chooseSteps, stepsFor } from './steps.mjs';

/**
 * Runs whatever set-up step is not current, of all or of those named and what they need. Prints nothing when there is
 * none. Throws SetupFailure.
 */
export async function setUp(purpose, only) {
  checkNode();
  const steps = chooseSteps(stepsFor(purpose), only);
  if (steps.every(isDone)) return;
  const progress = new Progress();
  const release = await lockSetup((line) => process.stderr.write(`${line}\n`));
  const interrupt = new AbortController();
  const onSignal = () => interrupt.abort();
  for (const name of ['SIGINT', 'SIGTERM']) process.on(name, onSignal);
  let ok = false;
  try {
    checkPackages(purpose);
    progress.begin(steps.filter((step) => !isDone(step)).length);
    await runSteps(steps, progress, { signal: interrupt.signal });
    ok = true;
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
    throw new SetupFailure('It was interrupted.', { remedy: 'Start again: what is done is kept.' });
  } finally {
    for (const name of ['SIGINT', 'SIGTERM']) process.off(name, onSignal);
    progress.end(ok);
    release();
  }
}

/** As `setUp`, for a script: prints a failure for a person and ends the process with status 1. */
export async function setUpOrExit(purpose, only) {
  try {
    await setUp(purpose, only);
  } catch (error) {
    if (!(error instanceof SetupFailure)) throw error;
    process.stderr.write(`${describeFailure(error)}\n`);
    process.exit(1);
  }
}

export function describeFailure({ message, tail, log, remedy }) {
  return [
    '',
    `Set-up stopped. ${message}`,
    ...(tail.length === 0 ? [] : ['', 'Last output:', ...tail.map((line) => `    ${line}`)]),
    ...(log === undefined ? [] : ['', `Everything it printed: ${log}`]),
    ...(remedy === undefined ? [] : ['', `What to do: ${remedy}`]),
  ].join('\n');
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const args = process.argv.slice(2);
  const at = args.indexOf('--only');
  await setUpOrExit(
    args.includes('test') ? 'test' : 'run',
    at === -1 ? undefined : (args[at + 1] ?? '').split(','),
  );
}
