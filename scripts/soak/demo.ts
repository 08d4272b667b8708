import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { ROOT } from '../../src/common/paths.ts';
import { until } from '../../test/support/wait.ts';
import type { Soak } from './report.ts';

const DETECTED_MS = 240_000;
const PORTS = [8081, 8082, 8083];

/** `npm run demo:decoupled` until a query shows persons and an event came; then Ctrl-C, after which nothing is left. */
export const decoupledDemo: Soak = async ({ print }) => {
  const child = spawn(process.execPath, [join(ROOT, 'scripts', 'demo-decoupled.mjs')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit') as Promise<[number | null]>;
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString('utf8');
  });
  try {
    await until('persons, recorded frames and an event', DETECTED_MS, () => {
      if (child.exitCode !== null) throw new Error(text);
      return [/^person +\d/m, /^yard +\d/m, /\(rule\.\w+\) on yard/].every((line) =>
        line.test(text),
      );
    });
  } finally {
    child.kill('SIGINT');
    const [code] = await exited;
    print(text);
    assert.equal(code, 0);
  }
  for (const port of PORTS) await assert.rejects(fetch(`http://127.0.0.1:${port}/healthz`));
};
