#!/usr/bin/env node
// `npm run test:sanitize`: the native tests under AddressSanitizer and UndefinedBehaviorSanitizer, in a build of
// their own.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { testEnv } from './checks.mjs';
import { runLogged } from './setup/command.mjs';
import { setUpOrExit } from './setup/main.mjs';
import { cmakeJs, configureNative } from './setup/native.mjs';
import { LOGS, ROOT } from './setup/paths.mjs';

const out = join(ROOT, 'build-native-asan');
const log = join(LOGS, 'sanitize.log');

await setUpOrExit('test');
mkdirSync(LOGS, { recursive: true });
process.stdout.write('Building the native tests with sanitizers ...\n');
const task = {
  run: (command, args, options) => runLogged(command, args, { log, ...options }),
};
try {
  await configureNative(task, {
    out,
    defines: { SIGHTLINE_TESTS: 'ON', SIGHTLINE_SANITIZE: 'ON' },
  });
  await cmakeJs(task, 'build', { out });
} catch (error) {
  process.stderr.write(`${error.message}\n${error.tail?.join('\n') ?? ''}\nEverything: ${log}\n`);
  process.exit(1);
}
const { status } = spawnSync(
  'ctest',
  ['--test-dir', out, '--output-on-failure', '--timeout', '600'],
  {
    cwd: ROOT,
    stdio: 'inherit',
    env: {
      ...process.env,
      ...testEnv(),
      // Whole stacks, through libraries without frame pointers, or the suppressions could not match.
      ASAN_OPTIONS: 'detect_leaks=1:detect_odr_violation=0:fast_unwind_on_malloc=0',
      LSAN_OPTIONS: `suppressions=${join(ROOT, 'scripts', 'lsan.supp')}:print_suppressions=0`,
      UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1',
    },
  },
);
process.exit(status ?? 1);
