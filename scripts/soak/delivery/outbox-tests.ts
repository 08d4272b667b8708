import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { ROOT } from '../../../src/common/paths.ts';
import type { DeliverySoak } from './main.ts';

const KILLS = 1_000;
const WALKS_A_MINUTE = 30;
const LIMIT_MS = 60 * 60_000;

/** What `npm test` does to the outbox a few times, many times: kill -9 a thousand times, random operations beside a model. */
const outboxTests: DeliverySoak = async ({ minutes, print }) => {
  await runTest('crash', { SIGHTLINE_CRASH_ROUNDS: String(KILLS) }, print);
  const walks = Math.max(1, Math.round(minutes * WALKS_A_MINUTE));
  await runTest('model', { SIGHTLINE_MODEL_RUNS: String(walks) }, print);
};
export default outboxTests;

async function runTest(
  name: string,
  env: Readonly<Record<string, string>>,
  print: (line: string) => void,
): Promise<void> {
  const file = `test/outbox/${name}.test.ts`;
  const started = performance.now();
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', '--test', '--test-reporter=spec', file],
    { cwd: ROOT, env: { ...process.env, ...env }, stdio: ['ignore', 'inherit', 'inherit'] },
  );
  const [code] = (await once(child, 'exit', { signal: AbortSignal.timeout(LIMIT_MS) })) as [number];
  if (code !== 0) throw new Error(`${file} failed`);
  print(
    `${file} with ${JSON.stringify(env)}: ${((performance.now() - started) / 1000).toFixed(0)} s`,
  );
}
