import type { BlackBoxEntry } from '../../common/black-box.ts';
import type { Logger } from '../../common/logger.ts';
import type { DataRecord } from '../../metadata/record-reader.ts';
import type { FrozenEvent } from '../../worker/protocol.ts';
import type { EventLog } from '../event-log.ts';
import type { IncidentStore } from '../incidents/incident-store.ts';
import type { Scrubber } from '../scrubber.ts';
import type { StartGate } from '../start-gate.ts';
import type { Clock } from '../stream-state.ts';
import type { SupervisedStream } from '../supervised-stream.ts';
import type {
  EngineStore,
  IncidentKind,
  Reason,
  RecordConsumer,
  SegmentConsumer,
  WorkerExit,
} from '../types.ts';
import type { WorkerCommand } from '../worker-command.ts';
import type { WorkerLimits, WorkerProcess } from '../worker-process.ts';
import type { Lane } from './lane.ts';
import type { WorkerSettings } from './settings.ts';
import type { SpareWorker } from './spare-worker.ts';

/** What all supervisors of a control process share. */
export interface SupervisorContext {
  readonly command: WorkerCommand;
  readonly consume: RecordConsumer;
  /** Absent: nobody keeps recordings. */
  readonly onSegment?: SegmentConsumer;
  readonly events: EventLog;
  readonly logger: Logger;
  readonly gate: StartGate;
  readonly clock: Clock;
  readonly settings: WorkerSettings;
  readonly limits?: Partial<WorkerLimits>;
  /** Absent: nothing is recorded. */
  readonly incidents?: IncidentStore;
  /** Absent: every worker is started when it is needed. */
  readonly spare?: SpareWorker;
  /** Needed by pipelines that name engines. */
  readonly engines?: EngineStore;
}

/** Something about a worker that goes on record. */
export interface IncidentFacts {
  readonly kind: IncidentKind;
  readonly reason: Reason;
  readonly pid: number;
  readonly exit?: WorkerExit;
  readonly blackBox?: readonly BlackBoxEntry[];
  /** Still there, though it may not answer. */
  readonly worker?: WorkerProcess;
}

/** What a lane needs of the pipeline it belongs to. */
export interface LaneHost {
  readonly pipelineId: string;
  readonly context: SupervisorContext;
  readonly streams: ReadonlyMap<string, SupervisedStream>;
  readonly scrubber: Scrubber;
  readonly logger: Logger;
  /** Must not throw or reject. */
  take(lane: Lane, records: readonly DataRecord[]): void | Promise<void>;
  /** A worker crashed. True: the lane's streams go elsewhere, and it ends. */
  leavesAfterDeath(lane: Lane, reason: Reason): boolean;
  record(lane: Lane, facts: IncidentFacts): void;
  /** One graph of the worker hangs, and others do not. */
  frozen(lane: Lane, event: FrozenEvent): void;
  /** The worker needs more than its budget; `reason` says of what. */
  overBudget(lane: Lane, reason: Reason): void;
}
