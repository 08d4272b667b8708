import { type Static, Type } from 'typebox';
import { defaulted, oneOf, strictObject } from '../../common/schema.ts';
import { ADMISSION_DEFAULTS } from '../../control/admission/settings.ts';
import {
  Accelerator,
  ImagesSpec,
  InferSpec,
  PipelineSpec,
  TrackSpec,
} from '../../pipeline/spec.ts';
import { RuleSpec } from '../../rules/spec.ts';
import { SINK_TYPES, SinkSpec } from '../../sinks/specs.ts';
import { InputSpec } from '../rules/inputs/specs.ts';
import { DEEPSTREAM_DEFAULTS, DeepStreamConfig } from './deepstream.ts';
import { DemoConfig } from './demo.ts';
import { EGRESS_DEFAULTS, EgressConfig } from './egress.ts';
import { FleetConfig } from './fleet.ts';
import { NvidiaRestConfig } from './nvidia-rest.ts';
import { OUTBOX_DEFAULTS, OutboxConfig } from './outbox.ts';
import { Port } from './port.ts';
import { QUERY_DEFAULTS, QueryConfig } from './query.ts';
import { RecordingConfig } from './recording.ts';
import { EVENTS_DEFAULTS, EventsConfig } from './rules.ts';
import { AdmissionConfig, WORKERS_DEFAULTS, WorkersConfig } from './workers.ts';

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
      sinkTypes: Type.Optional(
        Type.Array(oneOf(SINK_TYPES), {
          uniqueItems: true,
          description:
            'Types of sinks that may be made through the API; default: all but file. [] for none',
        }),
      ),
    }),
    { host: '127.0.0.1', port: 8080 },
  ),
  nvidiaRest: Type.Optional(NvidiaRestConfig),
  modelsDir: Type.Optional(Type.String({ minLength: 1, description: 'Default: models/' })),
  outbox: defaulted(OutboxConfig, OUTBOX_DEFAULTS),
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
  egress: defaulted(EgressConfig, EGRESS_DEFAULTS),
  sinks: defaulted(Type.Array(SinkSpec, { maxItems: 64 }), []),
  pipelines: defaulted(Type.Array(PipelineSpec, { maxItems: 256 }), []),
  rules: defaulted(Type.Array(RuleSpec, { maxItems: 1000 }), []),
  events: defaulted(EventsConfig, EVENTS_DEFAULTS),
  inputs: defaulted(
    Type.Array(InputSpec, {
      maxItems: 16,
      description: 'Frames of other servers, for the rules of this one',
    }),
    [],
  ),
  recording: Type.Optional(RecordingConfig),
  heartbeatMs: defaulted(
    Type.Integer({
      minimum: 0,
      maximum: 3_600_000,
      description: 'How often each stream says how it is, in a record of the kind event; 0: never',
    }),
    0,
  ),
  query: defaulted(QueryConfig, QUERY_DEFAULTS),
  fleet: Type.Optional(FleetConfig),
  demo: Type.Optional(DemoConfig),
});
export type ServerConfig = Static<typeof ServerConfig>;
