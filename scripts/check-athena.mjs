#!/usr/bin/env node
// `npm run check:athena`: fetches Trino, the engine of Athena, from Maven Central into .cache, once, and runs on it what Sightline
// sends to Athena, over the tables of deploy/terraform. Two minutes on two idle cores, and 2 GB of memory.
import { spawn } from 'node:child_process';
import { fetchTrino, whyNoTrino } from './athena/fetch.mjs';
import { setUpOrExit } from './setup/main.mjs';
import { ROOT } from './setup/paths.mjs';

const note = (line) => process.stderr.write(`${line}\n`);

const reason = await whyNoTrino();
if (reason !== undefined) {
  note(`Cannot run Trino: ${reason}.`);
  process.exit(1);
}
// Its tests start moto and no cameras.
await setUpOrExit('test', ['npm', 'proto', 'moto']);
await fetchTrino(note).catch((error) => {
  note(`Cannot get Trino from Maven Central: ${error.message}`);
  process.exit(1);
});
const file = 'scripts/athena/athena.test.ts';
const args = ['--import', 'tsx', '--test', '--test-reporter=spec', file];
const tests = spawn(process.execPath, args, { cwd: ROOT, stdio: 'inherit' });
tests.on('exit', (code) => process.exit(code ?? 1));
