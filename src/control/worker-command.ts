import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SightlineError } from '../common/errors.ts';
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
  'SIGHTLINE_DEEPSTREAM_LIBDIR',
]);
const INHERITED_PREFIXES = [
  ...['LC_', 'XDG_', 'GST_', 'G_', 'ORT_', 'OMP_', 'MALLOC_', 'FAKETIME'],
  ...['ASAN_', 'UBSAN_', 'TSAN_', 'LSAN_', 'CUDA_', 'NVIDIA_'],
];

/**
 * Pools of the C library's allocator, which makes up to eight a core and never gives one back: the threads of streams that
 * come and go would fill them one after the other.
 */
const MALLOC_ARENAS = '2';

/** What a backend may set for a worker, and what a value looks like. Nothing a client writes gets here. */
const FROM_BACKEND: ReadonlyMap<string, RegExp> = new Map([
  // Read when the plugin is loaded: both muxers have the same factory names.
  ['USE_NEW_NVSTREAMMUX', /^(yes|no)$/],
  ['NVSTREAMMUX_ADAPTIVE_BATCHING', /^(yes|no)$/],
  ['GST_REGISTRY', /^\/[^\0]+$/],
  ['CUDA_VISIBLE_DEVICES', /^[0-9A-Za-z,-]+$/],
  ['CUDA_DEVICE_ORDER', /^(FASTEST_FIRST|PCI_BUS_ID)$/],
  ['NVDS_ENABLE_LATENCY_MEASUREMENT', /^[01]$/],
  ['NVDS_ENABLE_COMPONENT_LATENCY_MEASUREMENT', /^[01]$/],
]);

/** The command with what a backend asks for (`Lowered.environment`). Throws `SL_INTERNAL` for any other name. */
export function withEnvironment(
  command: WorkerCommand,
  environment: Readonly<Record<string, string>> = {},
): WorkerCommand {
  for (const [name, value] of Object.entries(environment)) {
    if (FROM_BACKEND.get(name)?.test(value)) continue;
    throw new SightlineError(
      'SL_INTERNAL',
      `Cannot start a worker with ${name}=${JSON.stringify(value)}: a backend may not set that`,
    );
  }
  return { ...command, env: { ...command.env, ...environment } };
}

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
    MALLOC_ARENA_MAX: MALLOC_ARENAS,
    // ONNX Runtime reports to its maker what it runs, unless it is told not to.
    ORT_DISABLE_TELEMETRY: '1',
    ...Object.fromEntries(inherited),
    GST_PLUGIN_PATH: [PATHS.pluginDir, env['GST_PLUGIN_PATH']].filter(Boolean).join(delimiter),
    GST_REGISTRY: env['GST_REGISTRY'] ?? join(PATHS.cache, `gst-registry-${process.arch}.bin`),
    SIGHTLINE_ONNXRUNTIME: onnxRuntimeLibrary(env),
  };
}
