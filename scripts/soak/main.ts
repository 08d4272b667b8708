// `npm run soak`: long runs under faults, each with its raw figures; ends with 1 when one of them violates what it
// claims. `npm run soak -- chaos clock` runs some, `--minutes 2` makes the timed ones shorter (default 10).
import { availableParallelism, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { admission } from './admission.ts';
import { chaos } from './chaos.ts';
import { clockSteps } from './clock.ts';
import { deadCameras } from './dead-cameras.ts';
import { decoupledDemo } from './demo.ts';
import { fleet } from './fleet.ts';
import { inferQueue } from './infer.ts';
import { orphans } from './orphans.ts';
import { recording } from './recording.ts';
import type { Soak } from './report.ts';
import { startStop } from './start-stop.ts';

const ALL: Readonly<Record<string, Soak>> = {
  chaos,
  'dead-cameras': deadCameras,
  clock: clockSteps,
  'start-stop': startStop,
  orphans,
  admission,
  fleet,
  infer: inferQueue,
  demo: decoupledDemo,
  recording,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { minutes: { type: 'string', default: '10' } },
});
const unknown = positionals.filter((name) => ALL[name] === undefined);
const minutes = Number(values.minutes);
if (unknown.length > 0 || !(minutes > 0)) {
  console.error(`Usage: npm run soak [-- ${Object.keys(ALL).join('|')}] [--minutes N]`);
  process.exit(2);
}
console.log(`${availableParallelism()} cores, Node ${process.version}`);
for (const name of positionals.length === 0 ? Object.keys(ALL) : positionals) {
  console.log(`\n=== ${name} (load ${loadavg()[0]!.toFixed(2)}, ${new Date().toISOString()})`);
  try {
    await ALL[name]!({ minutes, print: (line) => console.log(`  ${line}`) });
    console.log(`  ${name}: held`);
  } catch (error) {
    console.log(`  ${name}: VIOLATED: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
