// Inference in the pipeline beside ONNX Runtime alone, in one run, round by round:
//   node --import tsx bench/infer.ts [--model centernet-512x384] [--clip file.mp4] [--rounds 3] [--seconds 6]
// Needs two free cores: with less, the figures say more about the machine's other work than about Sightline.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../', import.meta.url));
const BUILD = join(ROOT, 'build-bench');

interface Figures {
  readonly fps: number;
  readonly cpuMsPerFrame: number;
}

interface Case {
  readonly name: string;
  readonly title: string;
  readonly args: readonly string[];
}

const { values: options } = parseArgs({
  options: {
    model: { type: 'string', default: 'centernet-512x384' },
    clip: { type: 'string', default: join(ROOT, '.cache', 'demo-clip.mp4') },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '6' },
    library: {
      type: 'string',
      default:
        process.env['SIGHTLINE_ONNXRUNTIME'] ??
        join(
          ROOT,
          `node_modules/onnxruntime-node/bin/napi-v6/linux/${process.arch}/libonnxruntime.so.1`,
        ),
    },
  },
});

async function build(): Promise<void> {
  await run('cmake', ['-S', join(ROOT, 'native'), '-B', BUILD, '-DSIGHTLINE_BENCH=ON']);
  const targets = ['--target', 'infer_bench', 'gstsightline'];
  await run('cmake', ['--build', BUILD, ...targets, '-j', String(cpus().length)]);
}

function cases(): Case[] {
  const model = join(ROOT, 'models', options.model, 'model.onnx');
  const config = join(ROOT, 'models', options.model, 'nvinfer.txt');
  for (const file of [model, config, options.clip, options.library]) {
    if (!existsSync(file)) throw new Error(`${file} is missing; run \`npm run setup\` first`);
  }
  const bare = (threads: number, sessions: number, cores: string) => [
    ...['bare', options.library, model, options.seconds],
    ...[String(threads), String(sessions), cores],
  ];
  const pipeline = (inferCores: string, decodeCores: string) => [
    ...['pipeline', options.library, config, options.seconds],
    ...[options.clip, inferCores, decodeCores],
  ];
  return [
    { name: 'bare', title: 'ONNX Runtime alone, core 0', args: bare(1, 1, '0') },
    {
      name: 'pipeline',
      title: 'in the pipeline, core 0 (decode on core 1)',
      args: pipeline('0', '1'),
    },
    { name: 'one', title: 'one file, all on core 0', args: pipeline('0', '0') },
    { name: 'two', title: 'two files, cores 0 and 1', args: pipeline('0,1', '0,1') },
    { name: 'shared', title: 'ONNX Runtime, 2 threads, 1 session', args: bare(2, 1, '0,1') },
    { name: 'apart', title: 'ONNX Runtime, 2 threads, 2 sessions', args: bare(2, 2, '0,1') },
  ];
}

async function measure(args: readonly string[]): Promise<Figures> {
  const env = {
    ...process.env,
    GST_PLUGIN_PATH: join(BUILD, 'plugin'),
    GST_REGISTRY: join(BUILD, 'registry.bin'),
  };
  const { stdout } = await run(join(BUILD, 'bench', 'infer_bench'), [...args], { env });
  return JSON.parse(stdout) as Figures;
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function percent(part: number, whole: number): string {
  return `${((100 * part) / whole).toFixed(1)} %`;
}

function report(results: ReadonlyMap<string, readonly Figures[]>, all: readonly Case[]): void {
  const middle = (name: string, key: keyof Figures) =>
    median((results.get(name) ?? []).map((figures) => figures[key]));
  for (const { name, title } of all) {
    const rounds = (results.get(name) ?? []).map(({ fps }) => fps.toFixed(1)).join(', ');
    const cpu = middle(name, 'cpuMsPerFrame').toFixed(2);
    console.log(
      `${title.padEnd(46)} ${middle(name, 'fps').toFixed(1)} fps, ${cpu} ms of CPU a frame (${rounds})`,
    );
  }
  // Round by round: the machine's other work changes from one to the next.
  const ratios = (part: string, whole: string, key: keyof Figures = 'fps') =>
    median(
      (results.get(part) ?? []).map((figures, i) => {
        return figures[key] / (results.get(whole)?.[i]?.[key] ?? Number.NaN);
      }),
    );
  const fps = percent(ratios('pipeline', 'bare'), 1);
  const cpu = percent(ratios('bare', 'pipeline', 'cpuMsPerFrame'), 1);
  console.log(
    `\nin the pipeline / alone: ${fps} of the frames, by CPU time ${cpu}   (goal: 92 % or more)`,
  );
  console.log(
    `two files / one:         ${ratios('two', 'one').toFixed(2)} x   (goal: 1.8 x or more)`,
  );
  console.log(
    `one shared session / two: ${percent(ratios('shared', 'apart'), 1)} of the frames on two cores`,
  );
}

await build();
const all = cases();
console.log(`${new Date().toISOString()}  ${cpus()[0]?.model}, ${cpus().length} cores`);
console.log(
  `${options.model}, load before: ${loadavg()
    .map((load) => load.toFixed(2))
    .join(' ')}\n`,
);
const results = new Map<string, Figures[]>(all.map(({ name }) => [name, []]));
for (let round = 0; round < Number(options.rounds); round++) {
  for (const { name, args } of all) results.get(name)?.push(await measure(args));
}
report(results, all);
