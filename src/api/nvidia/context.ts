import type { Logger } from '../../common/logger.ts';
import type { Orchestrator } from '../../control/types.ts';
import type { NvidiaStreams } from './streams.ts';

/** What the endpoints work with. */
export interface NvidiaContext {
  readonly orchestrator: Orchestrator;
  readonly streams: NvidiaStreams;
  readonly logger: Logger;
  /** Reasons why the server should get no work now; empty when it is ready. */
  readonly notReadyBecause: () => readonly string[];
  /** Ends the whole server in order. */
  readonly onQuit: () => void;
}
