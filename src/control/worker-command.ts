import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onnxRuntimeLibrary, PATHS } from '../common/paths.ts';

/** A program to run, ready for spawn(). */
export interface WorkerCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/** The environment a worker inherits. Anything else stays here: it may hold credentials of the cloud or the API. */
const INHERITED = new Set([
  'PATH',
  'HOME',
  'USER',
  'LANG',
  'LANGUAGE',
  'TZ',
  'TMPDIR',
  'LD_LIBRARY_PATH',
  'LD_PRELOAD',
  'NODE_EXTRA_CA_CERTS',
  'NODE_OPTIONS',
  'NODE_V8_COVERAGE',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'SIGHTLINE_ONNXRUNTIME',
]);
const INHERITED_PREFIXES = [
  ...['LC_', 'XDG_', 'GST_', 'G_', 'ORT_', 'OMP_', 'MALLOC_', 'FAKETIME'],
  ...['ASAN_', 'UBSAN_', 'TSAN_', 'LSAN_', 'CUDA_', 'NVIDIA_'],
];

/**
 * How to start a worker: `src/worker/main.ts` through tsx when this very file runs from source, `dist/worker/main.js`
 * when it is compiled. `SIGHTLINE_WORKER_WRAPPER` (words split at blanks, for example `valgrind --quiet`) goes in front.
 */
export function workerCommand(env: NodeJS.ProcessEnv = process.env): WorkerCommand {
  const fromSource = import.meta.url.endsWith('.ts');
  const main = fileURLToPath(
    new URL(fromSource ? '../worker/main.ts' : '../worker/main.js', import.meta.url),
  );
  const node = [
    process.execPath,
    ...(fromSource ? ['--import', import.meta.resolve('tsx')] : []),
    main,
  ];
  return commandOf(node, env);
}

/** The same surroundings (wrapper, environment) for another program. */
export function commandOf(
  program: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): WorkerCommand {
  const wrapper = (env['SIGHTLINE_WORKER_WRAPPER'] ?? '')
    .split(/\s+/)
    .filter((word) => word !== '');
  const words = [...wrapper, ...program];
  return { file: words[0]!, args: words.slice(1), env: workerEnvironment(env) };
}

function workerEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const inherited = Object.entries(env).filter(
    ([name]) => INHERITED.has(name) || INHERITED_PREFIXES.some((prefix) => name.startsWith(prefix)),
  );
  return {
    ...Object.fromEntries(inherited),
    GST_PLUGIN_PATH: [PATHS.pluginDir, env['GST_PLUGIN_PATH']].filter(Boolean).join(delimiter),
    GST_REGISTRY: env['GST_REGISTRY'] ?? join(PATHS.cache, `gst-registry-${process.arch}.bin`),
    SIGHTLINE_ONNXRUNTIME: onnxRuntimeLibrary(env),
  };
}
