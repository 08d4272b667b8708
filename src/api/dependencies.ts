import type { Logger } from '../common/logger.ts';
import type { EngineStats, Orchestrator } from '../control/types.ts';
import type { Cursors } from './cursors.ts';
import type { Model } from './schemas.ts';

/** What the API shows of one sink. */
export interface SinkView {
  readonly id: string;
  readonly type: string;
  readonly state: string;
  readonly required: boolean;
  readonly accepted: number;
  readonly pending: number;
  readonly delivered: number;
  readonly deadLettered: number;
  readonly shed: number;
  /** Age of the oldest record that waits, in ms; 0 when none does. */
  readonly oldestAgeMs: number;
  readonly lastError?: { readonly code: string; readonly message: string; readonly at: string };
}

/** What the API shows of the outbox as a whole. */
export interface OutboxView {
  readonly state: string;
  readonly bytes: number;
  /** Records refused before they were accepted, by reason; they belong to no sink. */
  readonly refused: Readonly<Record<string, number>>;
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

/** Everything the API needs; `services` injects it, tests inject what they like. */
export interface ApiDependencies {
  readonly logger: Logger;
  readonly version: string;
  readonly orchestrator: Orchestrator;
  /** Reasons why the server should get no work now; empty when it is ready. */
  notReadyBecause(): readonly string[];
  sinks(): readonly SinkView[];
  outbox(): OutboxView;
  readonly models: ModelsView;
  /** Absent or undefined where no pipeline uses a GPU. */
  engines?(): EnginesView | undefined;
}

/** What the routes share. */
export interface ApiContext extends ApiDependencies {
  readonly cursors: Cursors;
}
