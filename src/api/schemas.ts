import type { Static } from 'typebox';
import { CameraSchema } from './schemas/cameras.ts';
import {
  type DeadLetterPayloadSchema,
  DeadLetterSchema,
  OutboxSchema,
  SinkSchema,
} from './schemas/delivery.ts';
import { FleetSchema, FleetStreamSchema } from './schemas/fleet.ts';
import { ModelSchema } from './schemas/operations.ts';
import {
  type CapacitySchema,
  type IncidentSchema,
  type JobSchema,
  PIPELINE_SCHEMAS,
  type PipelineSchema,
  type WorkerSchema,
} from './schemas/pipelines.ts';
import { QueryAnswerSchema } from './schemas/query.ts';
import { GapReportSchema, RecordedSegmentSchema } from './schemas/recordings.ts';
import { type RuleCountsSchema, RuleEventSchema, RuleSchema } from './schemas/rules.ts';
import { ConditionSchema, ReasonSchema } from './schemas/shared.ts';
import { AcceleratorSchema, StreamSchema, StreamStatusSchema } from './schemas/streams.ts';

/** Shapes of answers. They stand as named components in the OpenAPI document; the client's types come from them. */
export const SCHEMAS = [
  ReasonSchema,
  ConditionSchema,
  AcceleratorSchema,
  StreamStatusSchema,
  StreamSchema,
  ...PIPELINE_SCHEMAS,
  CameraSchema,
  SinkSchema,
  OutboxSchema,
  DeadLetterSchema,
  ModelSchema,
  FleetSchema,
  FleetStreamSchema,
  RuleSchema,
  RuleEventSchema,
  RecordedSegmentSchema,
  GapReportSchema,
  QueryAnswerSchema,
] as const;

export type { SinkSpec } from '../sinks/specs.ts';
export type { CameraSpec } from './schemas/cameras.ts';
export type Reason = Static<typeof ReasonSchema>;
export type Condition = Static<typeof ConditionSchema>;
export type Rule = Static<typeof RuleSchema>;
export type QueryAnswer = Static<typeof QueryAnswerSchema>;
export type RuleCounts = Static<typeof RuleCountsSchema>;
export type RuleEvent = Static<typeof RuleEventSchema>;
export type Stream = Static<typeof StreamSchema>;
export type Pipeline = Static<typeof PipelineSchema>;
export type Worker = Static<typeof WorkerSchema>;
export type Job = Static<typeof JobSchema>;
export type Incident = Static<typeof IncidentSchema>;
export type Capacity = Static<typeof CapacitySchema>;
export type Camera = Static<typeof CameraSchema>;
export type Sink = Static<typeof SinkSchema>;
export type DeadLetter = Static<typeof DeadLetterSchema>;
export type DeadLetterPayload = Static<typeof DeadLetterPayloadSchema>;
export type Outbox = Static<typeof OutboxSchema>;
export type Fleet = Static<typeof FleetSchema>;
export type Model = Static<typeof ModelSchema>;
export type RecordedSegment = Static<typeof RecordedSegmentSchema>;
export type GapReport = Static<typeof GapReportSchema>;
