#!/usr/bin/env node
// `npm run check:compose`, `check:helm` and `check:terraform`: builds the programs that check deploy/ from the Go module proxy into
// .cache/go-tools, once, and runs the tests that need them. On two cores Helm takes minutes, OpenTofu and the AWS provider
// take half an hour and 3 GB of memory.
import { spawn } from 'node:child_process';
import { makeSchemas } from './go-tools/kubernetes-schemas.mjs';
import { whyNoGo } from './go-tools/module.mjs';
import { composeProgram, helmPrograms, tofuPrograms } from './go-tools/programs.mjs';
import { setUpOrExit } from './setup/main.mjs';
import { ROOT } from './setup/paths.mjs';

const note = (line) => process.stderr.write(`${line}\n`);

const CHECKS = {
  compose: { prepare: () => composeProgram(note), test: 'test/deploy/compose.test.ts' },
  helm: {
    prepare: async () => {
      await makeSchemas(note);
      await helmPrograms(note);
    },
    test: 'test/deploy/helm.test.ts',
  },
  terraform: {
    prepare: async () => {
      // Its tests start moto, cameras and services.
      await setUpOrExit('test');
      await tofuPrograms(note);
    },
    test: 'scripts/deploy/terraform.test.ts',
  },
};

const check = CHECKS[process.argv[2]];
if (check === undefined) {
  note(`Name one of ${Object.keys(CHECKS).join(', ')}.`);
  process.exit(2);
}
const reason = await whyNoGo();
if (reason !== undefined) {
  note(`Cannot build what this needs: ${reason}.`);
  process.exit(1);
}
await check.prepare();
const args = ['--import', 'tsx', '--test', '--test-reporter=spec', check.test];
const tests = spawn(process.execPath, args, { cwd: ROOT, stdio: 'inherit' });
tests.on('exit', (code) => process.exit(code ?? 1));
