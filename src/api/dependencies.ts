import type { LiveRecords } from '../common/live-records.ts';
import type { Logger } from '../common/logger.ts';
import type { EngineStats, JsonObject, Orchestrator } from '../control/types.ts';
import type { DeliveryFigures } from '../outbox/delivery-meters.ts';
import type { HistogramView } from '../outbox/histogram.ts';
import type { OutboxStats, SinkCounts } from '../outbox/stats.ts';
import type { QueryAnswer, QueryRequest } from '../query/request.ts';
import type { RecordingService } from '../recording/service.ts';
import type { SinkSpec } from '../sinks/specs.ts';
import type { Cursors } from './cursors.ts';
import type { Preconditions } from './preconditions.ts';
import type { DeadLetter, Fleet, Model, Rule, RuleCounts, RuleEvent, Sink } from './schemas.ts';

/** Some dead letters by their ids, or all that a sink has at the moment. */
export type LetterChoice = { readonly ids: readonly string[] } | { readonly sinkId: string };

/** What is counted of a sink; a sink that is gone sends nothing. */
export type SinkFigures = SinkCounts &
  Partial<DeliveryFigures> & { readonly circuit?: string; readonly backupObjects?: number };

/** Sinks and dead letters: what the API shows of them, and what it can do with them. */
export interface DeliveryControl {
  /** Those there are, then those that are gone and left a backlog. */
  sinks(): readonly Sink[];
  /** Throws `SL_NOT_FOUND`. */
  sink(id: string): Sink;
  /** The same, for metrics. */
  figures(): readonly SinkFigures[];
  outbox(): OutboxStats;
  /** Throws `SL_SPEC_INVALID`, `SL_PRECONDITION_FAILED`, `SL_CONFLICT` for a sink of the configuration. */
  putSink(spec: SinkSpec, asked: Preconditions): Promise<{ view: Sink; created: boolean }>;
  /** By a JSON Merge Patch. Throws as `putSink`, and `SL_NOT_FOUND`. */
  patchSink(id: string, patch: JsonObject, asked: Preconditions): Promise<Sink>;
  /** What waits for it stays. Throws `SL_NOT_FOUND`, `SL_PRECONDITION_FAILED`, `SL_CONFLICT`. */
  removeSink(id: string, asked: Preconditions): Promise<void>;
  pauseSink(id: string): Promise<Sink>;
  resumeSink(id: string): Promise<Sink>;
  /** Gives up what a sink that is gone left behind. Throws `SL_NOT_FOUND`, `SL_CONFLICT`. */
  forgetSink(id: string): Promise<void>;
  /** Newest first. */
  deadLetters(query: {
    readonly sinkId?: string | undefined;
    readonly beforeId?: number | undefined;
    readonly limit: number;
  }): Promise<readonly DeadLetter[]>;
  /** Throws `SL_NOT_FOUND`. */
  deadLetter(id: string): Promise<DeadLetter>;
  retryDeadLetters(choice: LetterChoice): Promise<{ retried: number; kept: number }>;
  purgeDeadLetters(choice: LetterChoice): Promise<{ purged: number }>;
}

/** What the API shows of the engine cache. */
export interface EnginesView extends EngineStats {
  /** Engines removed because they were old or too much. */
  readonly pruned: number;
  readonly cacheBytes: number;
}

/** The installed models as the API shows them: no path of this machine is in it. */
export interface ModelsView {
  /** Sorted by name. */
  list(): Promise<readonly Model[]>;
  /** Throws `SL_NOT_FOUND`. */
  get(name: string): Promise<Model>;
}

export interface RuleEventQuery {
  readonly streamId?: string;
  readonly rule?: string;
  /** RFC 3339, UTC, milliseconds; `to` is exclusive. */
  readonly from?: string;
  readonly to?: string;
  /** Those after this one in the list. */
  readonly after?: { readonly time: string; readonly id: string };
  readonly limit: number;
}

/** Rules and what they found. */
export interface RulesView {
  list(): readonly Rule[];
  counts(): RuleCounts;
  /** Newest first. Throws `SL_UNAVAILABLE`. */
  events(query: RuleEventQuery): Promise<readonly RuleEvent[]>;
  /** With the parts of its clip. Throws `SL_UNAVAILABLE`. */
  event(id: string): Promise<RuleEvent | undefined>;
}
/** What was recorded. */
export type RecordingsView = Pick<
  RecordingService,
  'segments' | 'gaps' | 'video' | 'clip' | 'figures'
>;

/** SQL over what the file sinks keep. */
export interface QueryView {
  /** `signal` ends it. Throws `SL_REQUEST_INVALID`, `SL_TIMEOUT`, `SL_UNAVAILABLE`. */
  run(request: Omit<QueryRequest, 'timeoutMs'>, signal: AbortSignal): Promise<QueryAnswer>;
}

export interface FleetStream {
  readonly id: string;
  readonly generation: number;
  /** Secrets are `***`. */
  readonly spec: JsonObject;
}

/** The fleet this server is in. All but `figures` ask its store: they throw `SL_UNAVAILABLE`, `SL_TIMEOUT`. */
export interface FleetControl {
  view(): Promise<Fleet>;
  /** All of them, by id. */
  streams(): Promise<readonly FleetStream[]>;
  /** Undefined: there is none. */
  stream(id: string): Promise<FleetStream | undefined>;
  /** `***` stands for a secret that is kept. Throws `SL_SPEC_INVALID`, `SL_PRECONDITION_FAILED`. */
  putStream(
    id: string,
    spec: JsonObject,
    asked: Preconditions,
  ): Promise<{ created: boolean; view: FleetStream }>;
  /** False: there was none. Throws `SL_PRECONDITION_FAILED`. */
  removeStream(id: string, asked: Preconditions): Promise<boolean>;
  /** Of this server alone, for metrics. */
  figures(): {
    readonly node: string;
    readonly streams: number;
    readonly held: boolean;
    readonly lost: number;
    readonly refused: number;
    readonly moves: Readonly<Record<string, number>>;
    readonly renewals: HistogramView;
  };
}

/** Everything the API needs; `services` injects it, tests inject what they like. */
export interface ApiDependencies {
  readonly logger: Logger;
  readonly version: string;
  readonly orchestrator: Orchestrator;
  /** Reasons why the server should get no work now; empty when it is ready. */
  notReadyBecause(): readonly string[];
  readonly delivery: DeliveryControl;
  /** Frames as they come. */
  readonly live: Pick<LiveRecords, 'subscribe' | 'stats'>;
  readonly models: ModelsView;
  /** Absent: there are no rules. */
  readonly rules?: RulesView | undefined;
  /** Absent where nothing is recorded. */
  readonly recordings?: RecordingsView;
  /** Absent: queries are off. */
  readonly query?: QueryView | undefined;
  /** Absent: the server runs its own streams alone. */
  readonly fleet?: FleetControl | undefined;
  /** Absent or undefined where no pipeline uses a GPU. */
  engines?(): EnginesView | undefined;
}

/** What the routes share. */
export interface ApiContext extends ApiDependencies {
  readonly cursors: Cursors;
}
