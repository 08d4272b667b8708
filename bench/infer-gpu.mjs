// A model on a GPU: slinfer beside ONNX Runtime alone, round by round in one run, and what both providers find on the
// same frames. Plain JavaScript, so that it runs where there is Node and nothing else.
//   cmake -S native -B build-bench -DSIGHTLINE_BENCH=ON && cmake --build build-bench --target gpu_bench gstsightline
//   node bench/infer-gpu.mjs --library /path/to/libonnxruntime.so.1.30.0 [--provider cuda] [--rounds 3] [--seconds 3]
// --library is that of the PyPI package onnxruntime-gpu, its providers beside it and CUDA's libraries in LD_LIBRARY_PATH.
import { execFile } from 'node:child_process';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../', import.meta.url));
const { values: options } = parseArgs({
  options: {
    library: { type: 'string', default: process.env['SIGHTLINE_ONNXRUNTIME'] },
    provider: { type: 'string', default: 'cuda' },
    build: { type: 'string', default: join(ROOT, 'build-bench') },
    model: { type: 'string', default: join(ROOT, 'models', 'centernet-512x384') },
    clip: { type: 'string', default: join(ROOT, '.cache', 'demo-clip.mp4') },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '3' },
    batches: { type: 'string', default: '1,8,16' },
    frames: { type: 'string', default: '150' },
  },
});
const { library, provider, build, model, clip, seconds } = options;
if (library === undefined) throw new Error('Give --library: libonnxruntime.so of a GPU build');

async function bench(args, env = {}) {
  const started = performance.now();
  const { stdout } = await run(join(build, 'bench', 'gpu_bench'), args, {
    env: { ...process.env, GST_PLUGIN_PATH: join(build, 'plugin'), ...env },
    maxBuffer: 64 * 1024 * 1024,
    timeout: 120_000,
  });
  const lines = stdout.split('\n').filter((line) => line !== '');
  process.stderr.write(`${args[0]} ${args.slice(3).join(' ')} ${Math.round(performance.now() - started)} ms\n`);
  return lines.map((line) => JSON.parse(line));
}

/** Of an even number of values the mean of the middle two. */
function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}

/** Each round measures all cases; a case that fails says why in place of figures. */
async function measure(cases) {
  const taken = cases.map(() => []);
  for (let round = 0; round < Number(options.rounds); round += 1) {
    for (const [index, { args, env }] of cases.entries()) {
      try {
        taken[index].push(...(await bench(args, env)));
      } catch (error) {
        taken[index].push({ error: String(error.stderr || error.message).trim().slice(-600) });
      }
    }
  }
  return cases.map(({ name }, index) => {
    const failed = taken[index].find(({ error }) => error !== undefined);
    if (failed !== undefined) return { name, ...failed };
    const of = (key) => median(taken[index].map((figures) => figures[key]));
    const { provider: ran } = taken[index][0];
    const keys = ['fps', 'cpuMsPerFrame', 'readySeconds', 'meanInferMs'];
    return {
      name,
      ...Object.fromEntries(keys.map((key) => [key, of(key)]).filter(([, value]) => value >= 0)),
      ...(ran === undefined ? {} : { provider: ran }),
    };
  });
}

const file = join(model, 'model.onnx');
const config = join(model, 'nvinfer.txt');
const bare = (by, batch, threads) => ['bare', library, file, seconds, by, String(batch), String(threads)];
const element = (kind, by, batch, streams) => [
  ...[kind, library, config, seconds, by, String(batch), String(streams), clip],
];

function overlap([l, t, r, b], [l2, t2, r2, b2]) {
  const area = Math.max(0, Math.min(r, r2) - Math.max(l, l2)) * Math.max(0, Math.min(b, b2) - Math.max(t, t2));
  return area / ((r - l) * (b - t) + (r2 - l2) * (b2 - t2) - area);
}

/** Objects of the same frames by both providers; boxes in parts of the frame. */
async function agreement(env) {
  const find = (by) => bench(['objects', library, config, options.frames, by, '1', '1', clip], env);
  const [cpu, gpu] = [await find('cpu'), await find(provider)];
  const left = new Set(gpu);
  let boxes = 0;
  let scores = 0;
  const alone = [];
  for (const one of cpu) {
    const same = [...left].filter((other) => other.frame === one.frame && other.label === one.label);
    const best = same.toSorted((a, b) => overlap(b.box, one.box) - overlap(a.box, one.box))[0];
    if (best === undefined || overlap(best.box, one.box) < 0.5) {
      alone.push(one.score);
      continue;
    }
    left.delete(best);
    boxes = Math.max(boxes, ...best.box.map((side, index) => Math.abs(side - one.box[index])));
    scores = Math.max(scores, Math.abs(best.score - one.score));
  }
  return {
    ...{ frames: Number(options.frames), objectsCpu: cpu.length, objectsGpu: gpu.length },
    ...{ maxBoxDifference: boxes, maxScoreDifference: scores },
    scoresOfCpuAlone: alone,
    scoresOfGpuAlone: [...left].map(({ score }) => score),
  };
}

const cases = [
  { name: 'ONNX Runtime alone, CPU, batch 1', args: bare('cpu', 1, cpus().length) },
  ...options.batches.split(',').flatMap((batch) => [
    ...[1, 2, 3].map((threads) => ({
      name: `ONNX Runtime alone, batch ${batch}, ${threads} at once`,
      args: bare(provider, batch, threads),
    })),
    ...(batch === '1'
      ? [{ name: 'slinfer, batch 1, 1 stream', args: element('element', provider, 1, 1) }]
      : [2, 4].map((more) => ({
          name: `slinfer, batch ${batch}, ${more * batch} streams`,
          args: element('element', provider, batch, more * batch),
        }))),
  ]),
  { name: 'H.264 and slinfer, batch 16, 32 streams', args: element('decode', provider, 16, 32) },
];
const report = {
  ...{ library, provider, cores: cpus().length, processor: cpus()[0]?.model },
  agreement: await agreement().catch((error) => ({ error: String(error.stderr || error.message) })),
  agreementWithoutTf32: await agreement({ NVIDIA_TF32_OVERRIDE: '0' }).catch(String),
  cases: await measure(cases),
};
console.log(JSON.stringify(report, null, 1));
