import { Type } from 'typebox';
import { STREAM_STATES, type StreamState } from '../../control/types.ts';
import {
  AnyObject,
  Count,
  Labels,
  listOf,
  named,
  ReasonSchema,
  ref,
  Time,
  Word,
} from './shared.ts';

const ExitSchema = named('WorkerExit', {
  kind: Word(
    ['ended', 'stopped', 'died'],
    'ended: by itself, all streams were over; stopped: we asked; died: neither',
  ),
  fault: Type.Optional(Type.String({ description: 'Why we gave it up: an error code' })),
  code: Type.Optional(Type.Number({ description: 'Exit code' })),
  signal: Type.Optional(Type.String()),
  message: Type.String({ description: 'One sentence' }),
  stderrTail: listOf(Type.String(), 'Its last lines on stderr, secrets removed'),
  at: Time('When'),
});

export const WorkerSchema = named('Worker', {
  pipelineId: Type.String(),
  state: Word(
    ['starting', 'running', 'backoff', 'crash_loop', 'draining', 'stopped'],
    'crash_loop: it died too often and is tried only every few minutes',
  ),
  streams: listOf(Type.String()),
  pid: Type.Optional(Type.Number({ description: 'Absent while no process runs' })),
  rssBytes: Type.Optional(Count('Resident memory as of its last report')),
  threads: Type.Optional(Count('Threads')),
  fds: Type.Optional(Count('Open descriptors')),
  cpu: Type.Optional(Count('Cores in use over the last seconds')),
  lane: Type.Optional(
    Word(
      ['main', 'suspects', 'solo', 'next'],
      'suspects: some of its streams, one of which may crash it; solo: one of them alone; next: a hand-over is under way',
    ),
  ),
  restarts: Count('Times it was started again after it died'),
  startedAt: Type.Optional(Time('Start of the process')),
  retryAt: Type.Optional(Time('When it is started again')),
  lastExit: Type.Optional(ref(ExitSchema)),
});

/** Ids of streams with their states. */
export const Members = listOf(
  Type.Object({ id: Type.String(), state: Word(STREAM_STATES) }, { additionalProperties: false }),
);

export const PipelineSchema = named('Pipeline', {
  id: Type.String(),
  source: Word(['config', 'folder', 'api', 'fleet'], 'Who asked for it'),
  kind: Word(['pipeline', 'stream'], 'stream: made by POST /v1/streams; its spec is a StreamSpec'),
  spec: AnyObject('As given, secrets as ***'),
  labels: Type.Optional(Labels),
  generation: Count('Grows by one with each change of spec or labels; its ETag'),
  createdAt: Time('When it was created'),
  updatedAt: Time('When spec or labels were changed last'),
  status: Type.Object(
    {
      observedGeneration: Count('Generation that runs; behind while a change is under way'),
      states: Type.Unsafe<Readonly<Partial<Record<StreamState, number>>>>({
        type: 'object',
        additionalProperties: { type: 'number' },
        description: 'How many streams are in each state',
      }),
      streams: Members,
      workers: listOf(ref(WorkerSchema)),
      incidents: Count('Incidents on record'),
      reason: Type.Optional(ref(ReasonSchema)),
    },
    { additionalProperties: false },
  ),
});

const ChangeSchema = Type.Object(
  {
    streamId: Type.String(),
    effect: Word(
      ['unchanged', 'added', 'removed', 'disabled', 'set', 'replaced', 'handed-over', 'restarted'],
      'disabled: switched off by its spec; set: properties of running elements, no frame missed; replaced: its graph was started anew beside the old one; handed-over: the pipeline went over to a fresh worker; restarted: with a gap, as its camera allows one session only',
    ),
  },
  { additionalProperties: false },
);

export const JobSchema = named(
  'Job',
  {
    id: Type.String(),
    kind: Type.String({ description: 'pipeline.apply, pipeline.restart, stream.apply' }),
    subject: Type.String({ description: 'Id of the pipeline or stream' }),
    state: Word(['running', 'succeeded', 'failed']),
    createdAt: Time('When it began'),
    endedAt: Type.Optional(Time('When it ended')),
    progress: Type.String({ description: 'One sentence: what it does now, or did last' }),
    streams: Type.Optional(listOf(ChangeSchema, 'What it meant for each stream, once known')),
    error: Type.Optional(ref(ReasonSchema)),
  },
  'Something that takes longer than an answer may wait; the newest 1000 are kept, in memory',
);

export const IncidentSchema = named(
  'Incident',
  {
    n: Count('1, 2, ... in the pipeline; never used again'),
    pipelineId: Type.String(),
    kind: Type.String({
      description: 'died, hung, frozen, not-ready, over-budget, crash-loop',
    }),
    at: Time('When'),
    message: Type.String({ description: 'One sentence' }),
    code: Type.String({ description: 'See docs/errors.md' }),
    pid: Type.Number(),
    exitCode: Type.Optional(Type.Number()),
    signal: Type.Optional(Type.String()),
    coreHint: Type.Optional(Type.String({ description: 'How to get a core dump here' })),
    streams: listOf(Type.String()),
    files: listOf(
      Type.Object({ name: Type.String(), bytes: Count('Size') }, { additionalProperties: false }),
      'What was kept, secrets removed',
    ),
  },
  'An entry of the flight recorder',
);

export const CapacitySchema = named(
  'Capacity',
  {
    cores: Count('Cores of this box'),
    limit: Count('Admission refuses or degrades beyond it'),
    used: Count('Measured over the last 10 s: the workers and this process'),
    policy: Type.String({ description: 'reject, degrade, off' }),
    streams: listOf(
      Type.Object(
        {
          id: Type.String(),
          priority: Type.Number(),
          used: Count('Measured share of its worker'),
          demand: Count('What it would take if no frame were skipped'),
          imposedInterval: Count('Inference interval that admission imposes; 0: none'),
        },
        { additionalProperties: false },
      ),
    ),
  },
  'What streams cost this box, all in cores',
);

export const PIPELINE_SCHEMAS = [
  ExitSchema,
  WorkerSchema,
  PipelineSchema,
  JobSchema,
  IncidentSchema,
  CapacitySchema,
] as const;
