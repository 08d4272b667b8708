import { dirname, resolve } from 'node:path';
import { type Static, Type } from 'typebox';
import { problemsError, type ValueProblem } from '../common/check.ts';
import { loadDocument } from '../common/document.ts';
import { isLoopback } from '../common/loopback.ts';
import { PATHS } from '../common/paths.ts';
import { defaulted, oneOf, secretString, strictObject } from '../common/schema.ts';
import { ADMISSION_DEFAULTS, ADMISSION_POLICIES } from '../control/admission/settings.ts';
import { Accelerator, ImagesSpec, InferSpec, PipelineSpec, TrackSpec } from '../pipeline/spec.ts';
import { SinkSpec } from '../sinks/specs.ts';

const Port = (description: string, least = 1) =>
  Type.Integer({ minimum: least, maximum: 65_535, description });

/** Servers that only the demo starts, all on loopback. */
export const DemoConfig = strictObject({
  camera: Type.Optional(
    strictObject({
      port: Port('RTSP port'),
      path: defaulted(Type.String({ pattern: '^/[A-Za-z0-9_-]+$' }), '/cam'),
      clip: Type.Optional(
        Type.String({ minLength: 1, description: 'Default: the clip of set-up' }),
      ),
    }),
  ),
  mqtt: Type.Optional(strictObject({ port: Port('MQTT 3.1.1 port') })),
  aws: Type.Optional(
    strictObject({
      port: Port('Port of the S3 and SQS emulator'),
      bucket: Type.String({ minLength: 3 }),
      queue: Type.String({ minLength: 1 }),
    }),
  ),
});
export type DemoConfig = Static<typeof DemoConfig>;

/** The server that answers as NVIDIA's nvmultiurisrcbin does (docs/nvidia-rest.md). Left out: there is none. */
export const NvidiaRestConfig = strictObject({
  host: defaulted(
    Type.String({ minLength: 1, description: 'Beyond loopback only with a token' }),
    '127.0.0.1',
  ),
  port: defaulted(Port('0: any free port', 0), 9000),
  compat: defaulted(
    oneOf(['honest', 'strict'], {
      description:
        'honest: an added stream is a success once a picture came; strict: once it exists, as with NVIDIA',
    }),
    'honest',
  ),
  addTimeoutMs: defaulted(
    Type.Integer({
      minimum: 100,
      maximum: 120_000,
      description: 'honest: a stream without a picture by then is removed again, and the add fails',
    }),
    10_000,
  ),
  maxStreams: defaulted(
    Type.Integer({
      minimum: 1,
      maximum: 1024,
      description:
        "NVIDIA's max-batch-size: no stream is added beyond it, and source ids are below it",
    }),
    32,
  ),
  token: Type.Optional(secretString({ description: 'Bearer token of every request' })),
  adminToken: Type.Optional(
    secretString({ description: 'Bearer token of app/quit, which is refused without' }),
  ),
});
export type NvidiaRestConfig = Static<typeof NvidiaRestConfig>;

const DEEPSTREAM_DEFAULTS = {
  cacheMaxBytes: 20 * 1024 ** 3,
  cacheMaxAgeDays: 90,
  buildLimitMs: 30 * 60_000,
};

/** What a machine with NVIDIA's DeepStream needs. */
const DeepStreamConfig = strictObject(
  {
    cacheDir: Type.Optional(
      Type.String({
        minLength: 1,
        description:
          'Folder of TensorRT engines; default: engines in dataDir. Relative to this file',
      }),
    ),
    cacheMaxBytes: defaulted(
      Type.Integer({
        minimum: 0,
        description: 'Beyond it the longest unused engines go, at start',
      }),
      DEEPSTREAM_DEFAULTS.cacheMaxBytes,
    ),
    cacheMaxAgeDays: defaulted(
      Type.Integer({ minimum: 1, maximum: 3650, description: 'Engines unused for so long go' }),
      DEEPSTREAM_DEFAULTS.cacheMaxAgeDays,
    ),
    buildLimitMs: defaulted(
      Type.Integer({
        minimum: 60_000,
        maximum: 24 * 3600 * 1000,
        description: 'Longest build of one engine',
      }),
      DEEPSTREAM_DEFAULTS.buildLimitMs,
    ),
  },
  { description: 'Engines of the DeepStream backend' },
);

const atLeast = (minimum: number, description: string) =>
  Type.Optional(Type.Integer({ minimum, description }));

/** How worker processes are watched. */
const WorkersConfig = strictObject(
  {
    heartbeatMs: defaulted(
      Type.Integer({
        minimum: 2_000,
        maximum: 600_000,
        description: 'A worker that says nothing for so long hangs, and is ended',
      }),
      10_000,
    ),
    spare: defaulted(
      Type.Boolean({ description: 'A started worker waits for the next pipeline that needs one' }),
      true,
    ),
    recycleEveryMs: defaulted(
      Type.Integer({
        minimum: 10_000,
        description: 'A worker over its budget is replaced, without a gap, no more often',
      }),
      600_000,
    ),
    budget: defaulted(
      strictObject({
        rssBytes: atLeast(64 * 1024 ** 2, 'Memory; default 1 GiB, and 512 MiB for each stream'),
        threads: atLeast(16, 'Default 128, and 64 for each stream'),
        fds: atLeast(32, 'Open files; default 256, and 64 for each stream'),
      }),
      {},
    ),
  },
  { description: 'Supervision of the worker processes' },
);
const WORKERS_DEFAULTS = { heartbeatMs: 10_000, spare: true, recycleEveryMs: 600_000, budget: {} };

/** What streams may cost. */
const AdmissionConfig = strictObject(
  {
    policy: defaulted(
      oneOf(ADMISSION_POLICIES, {
        description:
          'reject: a new stream that does not fit is refused; degrade: the detector of those with the least priority passes over more frames; off',
      }),
      ADMISSION_DEFAULTS.policy,
    ),
    maxCpu: defaulted(
      Type.Number({ minimum: 0.1, maximum: 1, description: 'Share of the cores for streams' }),
      ADMISSION_DEFAULTS.maxCpu,
    ),
  },
  { description: 'What happens when streams cost more than the box has' },
);

/** The file of `sightline serve`; configs/sightline.yaml shows every key with its default. */
export const ServerConfig = strictObject({
  dataDir: Type.String({
    minLength: 1,
    description: 'Outbox, registry and lock; one server at a time. Relative to this file',
  }),
  logLevel: defaulted(oneOf(['debug', 'info', 'warn', 'error']), 'info'),
  http: defaulted(
    strictObject({
      host: defaulted(Type.String({ minLength: 1 }), '127.0.0.1'),
      port: defaulted(Port('0: any free port', 0), 8080),
    }),
    { host: '127.0.0.1', port: 8080 },
  ),
  nvidiaRest: Type.Optional(NvidiaRestConfig),
  modelsDir: Type.Optional(Type.String({ minLength: 1, description: 'Default: models/' })),
  outbox: defaulted(
    strictObject({
      maxBytes: defaulted(
        Type.Integer({
          minimum: 1024 * 1024,
          description: 'Beyond it the oldest records are shed',
        }),
        10 * 1024 ** 3,
      ),
      maxAgeMs: defaulted(
        Type.Integer({ minimum: 1000, description: 'Older records are shed' }),
        14 * 24 * 3600 * 1000,
      ),
      commitIntervalMs: defaulted(
        Type.Integer({
          minimum: 0,
          maximum: 10_000,
          description: 'How long records gather for one commit: latency against CPU',
        }),
        150,
      ),
    }),
    { maxBytes: 10 * 1024 ** 3, maxAgeMs: 14 * 24 * 3600 * 1000, commitIntervalMs: 150 },
  ),
  drainMs: defaulted(
    Type.Integer({ minimum: 0, maximum: 60_000, description: 'Time to finish at shut-down' }),
    3000,
  ),
  defaults: Type.Optional(
    strictObject(
      {
        accelerator: Type.Optional(Accelerator),
        infer: Type.Optional(InferSpec),
        track: Type.Optional(TrackSpec),
        images: Type.Optional(ImagesSpec),
      },
      { description: 'For streams of the API that leave these out' },
    ),
  ),
  deepstream: defaulted(DeepStreamConfig, DEEPSTREAM_DEFAULTS),
  workers: defaulted(WorkersConfig, WORKERS_DEFAULTS),
  admission: defaulted(AdmissionConfig, ADMISSION_DEFAULTS),
  sinks: defaulted(Type.Array(SinkSpec, { maxItems: 64 }), []),
  pipelines: defaulted(Type.Array(PipelineSpec, { maxItems: 256 }), []),
  demo: Type.Optional(DemoConfig),
});
export type ServerConfig = Static<typeof ServerConfig>;

export interface LoadedConfig {
  readonly config: ServerConfig;
  /** Absolute. */
  readonly dataDir: string;
  /** Absolute. */
  readonly modelsDir: string;
  /** Folder of TensorRT engines; absolute. */
  readonly engineCacheDir: string;
  /** Folder of the file: other relative paths in it start here. */
  readonly baseDir: string;
}

interface Placed {
  readonly id: string;
  readonly pointer: string;
}

function placed(items: readonly { readonly id: string }[], pointer: string): Placed[] {
  return items.map(({ id }, index) => ({ id, pointer: `${pointer}/${index}` }));
}

/** Ids name folders, topics and lanes of the outbox: two of a kind would write over each other. */
function duplicates(items: readonly Placed[]): ValueProblem[] {
  const first = new Map<string, string>();
  return items.flatMap(({ id, pointer }) => {
    const taken = first.get(id);
    if (taken === undefined) {
      first.set(id, pointer);
      return [];
    }
    return [{ pointer: `${pointer}/id`, message: `the id "${id}" is taken by ${taken}` }];
  });
}

function findDuplicates({ sinks, pipelines }: ServerConfig): ValueProblem[] {
  const streams = pipelines.flatMap((pipeline, index) =>
    placed(pipeline.streams, `/pipelines/${index}/streams`),
  );
  return [
    ...duplicates(placed(sinks, '/sinks')),
    ...duplicates(placed(pipelines, '/pipelines')),
    ...duplicates(streams),
  ];
}

/** Whoever reaches the port could start streams to any address, and end them. */
function findOpenDoors({ nvidiaRest }: ServerConfig): ValueProblem[] {
  if (nvidiaRest === undefined || nvidiaRest.token !== undefined) return [];
  if (isLoopback(nvidiaRest.host)) return [];
  const message = 'is not loopback: that needs a "token", too';
  return [{ pointer: '/nvidiaRest/host', message }];
}

/** Reads the file. Throws SL_CONFIG_INVALID with every problem and its line. */
export async function loadConfig(file: string): Promise<LoadedConfig> {
  const code = 'SL_CONFIG_INVALID';
  const document = await loadDocument(file, ServerConfig, { code });
  const config = document.value;
  const problems = [...findDuplicates(config), ...findOpenDoors(config)];
  if (problems.length > 0) throw problemsError(document.locate(problems), { code, subject: file });
  const baseDir = dirname(resolve(file));
  const dataDir = resolve(baseDir, config.dataDir);
  const { cacheDir } = config.deepstream;
  return {
    config,
    baseDir,
    dataDir,
    engineCacheDir:
      cacheDir === undefined ? resolve(dataDir, 'engines') : resolve(baseDir, cacheDir),
    modelsDir: config.modelsDir === undefined ? PATHS.models : resolve(baseDir, config.modelsDir),
  };
}
