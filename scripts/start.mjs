#!/usr/bin/env node
// `npm start`: set-up, then the demo. Further arguments go to `sightline serve`.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { setUpOrExit } from './setup/main.mjs';
import { ROOT } from './setup/paths.mjs';

// A terminal's Ctrl-C reaches this process twice when npm passes it on as well.
const SAME_SIGNAL_MS = 500;

await setUpOrExit('run');

// A group of its own, so that the server gets each signal once: from here.
const server = spawn(
  process.execPath,
  [
    join(ROOT, 'dist', 'cli.js'),
    'serve',
    '--config',
    join(ROOT, 'configs', 'demo.yaml'),
    ...process.argv.slice(2),
  ],
  { stdio: 'inherit', detached: true },
);
let lastSignalAt = Number.NEGATIVE_INFINITY;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    const now = performance.now();
    if (now - lastSignalAt < SAME_SIGNAL_MS) return;
    lastSignalAt = now;
    server.kill(signal === 'SIGHUP' ? 'SIGTERM' : signal);
  });
}
server.on('error', (error) => {
  process.stderr.write(`Cannot start the server: ${error.message}\n`);
  process.exit(1);
});
server.on('exit', (code, signal) => {
  process.exit(code ?? 128 + constants.signals[signal]);
});
