// The parts of `npm test`, each a list of commands. Their output goes to the terminal as it comes.
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { findBrowser } from './setup/browser.mjs';
import { BUILD_NATIVE, CACHE, DEMO_CLIP, ROOT, tool } from './setup/paths.mjs';
import { filesUnder } from './setup/stamp.mjs';
import { MODEL } from './setup/steps.mjs';

const NODE = process.execPath;
const FILE_TIMEOUT_MS = 180_000;
/** Where the tests lie as JavaScript, each in the folder it has in the checkout. */
const COMPILED = join(CACHE, 'compiled');

function relativeFiles(folder, pattern) {
  return filesUnder([folder])
    .filter((file) => pattern.test(file))
    .map((file) => relative(ROOT, file));
}

/** What tests find in their environment: the clip, the model, ONNX Runtime, a browser where there is one. */
export function testEnv() {
  const browser = findBrowser();
  return {
    SIGHTLINE_DEMO_CLIP: DEMO_CLIP,
    SIGHTLINE_MODEL_CONFIG: join(ROOT, 'models', MODEL, 'nvinfer.txt'),
    SIGHTLINE_ONNXRUNTIME: tool(
      ...['onnxruntime-node', 'bin', 'napi-v6', process.platform, process.arch],
      'libonnxruntime.so.1',
    ),
    ...(browser === undefined ? {} : { SIGHTLINE_BROWSER: browser }),
  };
}

function nodeTests(files, concurrency) {
  return [
    NODE,
    ...['--enable-source-maps', '--test', '--test-reporter=spec'],
    ...[`--test-concurrency=${concurrency}`, `--test-timeout=${FILE_TIMEOUT_MS}`],
    ...files.map((file) => join(relative(ROOT, COMPILED), file.replace(/\.ts$/, '.js'))),
  ];
}

function ctest(folder) {
  return ['ctest', '--test-dir', folder, '--output-on-failure', '--timeout', '300'];
}

/** Name of a part -> its commands: [title, argv, environment]. */
export function parts() {
  const env = testEnv();
  const plainOutput = process.stdout.isTTY ? [] : ['--colors=off'];
  const tests = relativeFiles('test', /\.test\.ts$/);
  // Whole servers, each with a folder and ports of its own, that wait for each other's processor as little as for their
  // limits: two at a time. Most other tests wait for processes, so that one more than there are cores fits.
  const endToEnd = tests.filter((file) => /^test\/(e2e|faults)\//.test(file));
  const others = tests.filter((file) => !endToEnd.includes(file));
  return {
    lint: [
      [
        'Biome (format and lint)',
        [
          NODE,
          tool('@biomejs', 'biome', 'bin', 'biome'),
          'ci',
          '--error-on-warnings',
          ...plainOutput,
        ],
        {},
      ],
      [
        'clang-format',
        ['clang-format-14', '--dry-run', '-Werror', ...relativeFiles('native', /\.(cc|h)$/)],
        {},
      ],
      ['TypeScript types', [NODE, tool('typescript', 'bin', 'tsc'), '--noEmit'], {}],
    ],
    native: [['Native tests', ctest(BUILD_NATIVE), env]],
    ts: [
      ['Compile the tests', [NODE, join('scripts', 'compile-tree.mjs'), COMPILED], {}],
      ['TypeScript tests', nodeTests(others, availableParallelism() + 1), env],
      ...(endToEnd.length === 0 ? [] : [['End-to-end tests', nodeTests(endToEnd, 2), env]]),
    ],
  };
}
