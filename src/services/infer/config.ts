import { dirname, resolve } from 'node:path';
import { type Static, Type } from 'typebox';
import { problemsError, type ValueProblem } from '../../common/check.ts';
import type { RecordKind } from '../../common/delivery.ts';
import { loadDocument } from '../../common/document.ts';
import { PATHS } from '../../common/paths.ts';
import { defaulted, oneOf, strictObject, tagged } from '../../common/schema.ts';
import { OnnxRuntimeSpec } from '../../pipeline/onnxruntime-spec.ts';
import { Accelerator, InferSpec, SecondarySpec, TrackSpec } from '../../pipeline/spec.ts';
import { AMQP_LOGIN } from '../../sinks/amqp/spec.ts';
import { AWS, MIB, Tls } from '../../sinks/spec-parts.ts';
import { SinkSpec } from '../../sinks/specs.ts';
import { EGRESS_DEFAULTS, EgressConfig } from '../config/egress.ts';
import { OUTBOX_DEFAULTS, OutboxConfig } from '../config/outbox.ts';
import { Port } from '../config/port.ts';

const Queue = tagged(
  'type',
  [
    strictObject({
      type: Type.Literal('sqs'),
      ...AWS,
      queue: Type.String({ minLength: 1, description: 'Name or URL' }),
      deadLetterQueue: Type.Optional(
        Type.String({
          minLength: 1,
          description: "Where poison goes; default: the queue's redrive policy, else `poison`",
        }),
      ),
      visibilityTimeoutS: defaulted(
        Type.Integer({
          minimum: 10,
          maximum: 43_200,
          description: 'How long a message is hidden at a time; renewed every third of it',
        }),
        60,
      ),
      receivers: defaulted(
        Type.Integer({ minimum: 1, maximum: 64, description: 'Long polls at a time' }),
        4,
      ),
    }),
    strictObject({
      type: Type.Literal('amqp'),
      ...AMQP_LOGIN,
      queue: Type.String({ minLength: 1, maxLength: 255 }),
      deadLetterExchange: Type.Optional(
        Type.String({ minLength: 1, maxLength: 255, description: 'Where poison goes' }),
      ),
      rejectPoison: defaulted(
        Type.Boolean({ description: 'The queue has a dead-letter exchange of its own' }),
        false,
      ),
      tls: Type.Optional(Tls),
      heartbeatS: defaulted(Type.Integer({ minimum: 1, maximum: 600 }), 10),
      connectTimeoutMs: defaulted(Type.Integer({ minimum: 100, maximum: 60_000 }), 5_000),
    }),
  ],
  { description: 'Where frames come from: what the sqs or amqp sink sends for kind image' },
);

const Patterns = Type.Optional(
  Type.Array(Type.String({ minLength: 1, maxLength: 128 }), { minItems: 1, maxItems: 1000 }),
);

const ModelRoute = strictObject({
  accelerator: Type.Optional(Accelerator),
  infer: InferSpec,
  secondary: Type.Optional(Type.Array(SecondarySpec, { minItems: 1, maxItems: 16 })),
  track: Type.Optional(TrackSpec),
  onnxRuntime: Type.Optional(OnnxRuntimeSpec),
  streams: Patterns,
  sensors: Patterns,
});

const LIMITS = {
  maxFrames: 256,
  maxBytes: 256 * MIB,
  maxPixels: 8192 * 8192,
  maxReceives: 5,
  claimAgeMs: 3_600_000,
  rememberFrames: 100_000,
};

/** The file of `sightline infer`; configs/infer.yaml shows every key. */
export const InferConfig = strictObject({
  dataDir: Type.String({
    minLength: 1,
    description: 'Outbox, lock and poison; one process at a time. Relative to this file',
  }),
  logLevel: defaulted(oneOf(['debug', 'info', 'warn', 'error']), 'info'),
  http: defaulted(
    strictObject({
      host: defaulted(Type.String({ minLength: 1 }), '127.0.0.1'),
      port: defaulted(Port('0: any free port', 0), 9080),
    }),
    { host: '127.0.0.1', port: 9080 },
  ),
  modelsDir: Type.Optional(Type.String({ minLength: 1, description: 'Default: models/' })),
  queue: Queue,
  models: Type.Array(ModelRoute, {
    minItems: 1,
    maxItems: 16,
    description:
      'One worker each. A frame goes to the models it names, else to all whose streams and sensors (patterns with *) fit',
  }),
  limits: defaulted(
    strictObject({
      maxFrames: defaulted(
        Type.Integer({ minimum: 1, maximum: 100_000, description: 'Frames worked on at a time' }),
        LIMITS.maxFrames,
      ),
      maxBytes: defaulted(
        Type.Integer({ minimum: MIB, description: 'Their bytes; a receipt of ten may go beyond' }),
        LIMITS.maxBytes,
      ),
      maxPixels: defaulted(
        Type.Integer({ minimum: 1, description: 'Larger pictures are poison' }),
        LIMITS.maxPixels,
      ),
      maxReceives: defaulted(
        Type.Integer({
          minimum: 1,
          maximum: 1000,
          description: 'Receipts after which a message that cannot be used is a dead letter',
        }),
        LIMITS.maxReceives,
      ),
      claimAgeMs: defaulted(
        Type.Integer({
          minimum: 0,
          description: 'Age of a message whose object is missing at which it is a dead letter',
        }),
        LIMITS.claimAgeMs,
      ),
      rememberFrames: defaulted(
        Type.Integer({
          minimum: 0,
          maximum: 10_000_000,
          description: 'Finished frames that are known when they come again; 100 bytes each',
        }),
        LIMITS.rememberFrames,
      ),
    }),
    LIMITS,
  ),
  idleMs: defaulted(
    Type.Integer({
      minimum: 1000,
      description: 'A camera without frames for this long gives its place in the workers back',
    }),
    600_000,
  ),
  frameTimeoutMs: defaulted(
    Type.Integer({
      minimum: 1000,
      description: 'A frame in a worker without a result for this long: the worker starts anew',
    }),
    60_000,
  ),
  poisonBytes: defaulted(
    Type.Integer({
      minimum: MIB,
      description: 'Dead letters that only this machine has a place for; the oldest go first',
    }),
    256 * MIB,
  ),
  autoscale: defaulted(
    strictObject({
      everyMs: defaulted(
        Type.Integer({ minimum: 1000, description: 'Between two looks at the queue' }),
        10_000,
      ),
      targetS: defaulted(
        Type.Number({
          exclusiveMinimum: 0,
          description: 'Within this the wanted processes would work off what waits',
        }),
        30,
      ),
      maxReplicas: defaulted(Type.Integer({ minimum: 1 }), 100),
    }),
    { everyMs: 10_000, targetS: 30, maxReplicas: 100 },
  ),
  drainMs: defaulted(
    Type.Integer({ minimum: 0, maximum: 600_000, description: 'Time to finish at shut-down' }),
    20_000,
  ),
  outbox: defaulted(OutboxConfig, OUTBOX_DEFAULTS),
  egress: defaulted(EgressConfig, EGRESS_DEFAULTS),
  sinks: Type.Array(SinkSpec, {
    minItems: 1,
    maxItems: 64,
    description: 'Where results go; one of them at least must take frames',
  }),
});
export type InferConfig = Static<typeof InferConfig>;

export interface LoadedInferConfig {
  readonly config: InferConfig;
  /** Absolute. */
  readonly dataDir: string;
  readonly modelsDir: string;
  readonly baseDir: string;
}

/** Reads the file. @throws SightlineError `SL_CONFIG_INVALID` with every problem and its line */
export async function loadInferConfig(file: string): Promise<LoadedInferConfig> {
  const code = 'SL_CONFIG_INVALID';
  const document = await loadDocument(file, InferConfig, { code });
  const config = document.value;
  const problems = [
    ...twice(
      config.models.map(({ infer }) => infer.model),
      (index) => `/models/${index}/infer/model`,
    ),
    ...twice(
      config.sinks.map(({ id }) => id),
      (index) => `/sinks/${index}/id`,
    ),
  ];
  if (!config.sinks.some(takesFrames)) {
    const message = 'no sink takes frames: a result that nobody keeps is worth no inference';
    problems.push({ pointer: '/sinks', message });
  }
  if (problems.length > 0) throw problemsError(document.locate(problems), { code, subject: file });
  const baseDir = dirname(resolve(file));
  return {
    ...{ config, baseDir, dataDir: resolve(baseDir, config.dataDir) },
    modelsDir: config.modelsDir === undefined ? PATHS.models : resolve(baseDir, config.modelsDir),
  };
}

/** The S3 sink is for pictures, and for records when asked. */
function takesFrames(sink: SinkSpec): boolean {
  const kinds: readonly RecordKind[] =
    sink.type === 's3' ? (sink.records?.kinds ?? []) : sink.kinds;
  return kinds.includes('frame');
}

function twice(names: readonly string[], pointer: (index: number) => string): ValueProblem[] {
  return names.flatMap((name, index) => {
    const first = names.indexOf(name);
    if (first === index) return [];
    return [{ pointer: pointer(index), message: `"${name}" is taken by ${pointer(first)}` }];
  });
}
