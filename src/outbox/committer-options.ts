import type { SightlineError } from '../common/errors.ts';
import type { LaneTable } from './lanes.ts';
import type { OutboxLimits } from './options.ts';
import type { DiskTrouble, JournalState, JournalThread } from './protocol.ts';
import type { TailCache } from './tail-cache.ts';

export interface CommitterOptions {
  readonly journal: JournalThread;
  readonly lanes: LaneTable;
  readonly cache: TailCache;
  readonly limits: Required<OutboxLimits>;
  readonly state: JournalState;
  /** Wall time, ms. */
  readonly nowMs: () => number;
  /** After each commit, with what changed. */
  readonly onCommit: (event: { readonly hasNewRecords: boolean }) => void;
  /** The disk refused new records; undefined: it takes them again. */
  readonly onTrouble: (trouble: DiskTrouble | undefined) => void;
  /** The journal thread is gone. */
  readonly onFailure: (error: SightlineError) => void;
}
