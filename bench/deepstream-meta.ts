// Reading a frame of DeepStream's metadata and writing its message, on batches built by hand:
//   node --import tsx bench/deepstream-meta.ts [--frames 1000000] [--rounds 3]
import { execFile } from 'node:child_process';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../', import.meta.url));
const BUILD = join(ROOT, 'build-bench');
const GOAL_US = 20;

interface Figures {
  readonly frames: number;
  readonly messageBytes: number;
  readonly medianUs: number;
  readonly p99Us: number;
  /** Calls of operator new, growth of the heap in use and of the process, all after the warm-up. */
  readonly allocations: number;
  readonly heapGrowthBytes: number;
  readonly residentGrowthKb: number;
}

const { values: options } = parseArgs({
  options: {
    frames: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '3' },
  },
});

await run('cmake', ['-S', join(ROOT, 'native'), '-B', BUILD, '-DSIGHTLINE_BENCH=ON']);
await run('cmake', ['--build', BUILD, '--target', 'deepstream_bench', '-j', String(cpus().length)]);
console.log(`${new Date().toISOString()}  ${cpus()[0]?.model}, ${cpus().length} cores`);
console.log(
  `30 objects a frame, load before: ${loadavg()
    .map((load) => load.toFixed(2))
    .join(' ')}\n`,
);
for (let round = 0; round < Number(options.rounds); round++) {
  const { stdout } = await run(join(BUILD, 'bench', 'deepstream_bench'), [options.frames]);
  const figures = JSON.parse(stdout) as Figures;
  console.log(
    `${figures.medianUs.toFixed(2)} us a frame (99 % within ${figures.p99Us.toFixed(2)}; goal: ${GOAL_US}), ` +
      `${figures.messageBytes} bytes; over ${figures.frames} frames: ${figures.allocations} allocations, ` +
      `heap ${figures.heapGrowthBytes} bytes, process ${figures.residentGrowthKb} KB more`,
  );
}
