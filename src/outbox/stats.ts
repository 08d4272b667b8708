import type { Lane } from './lane.ts';
import type { ShedReason } from './protocol.ts';

/** One sink's counters. accepted = delivered + deadLettered + shed + pending, at all times. */
export interface SinkCounts {
  readonly id: string;
  readonly required: boolean;
  /** True when the configuration no longer has the sink but records wait for it. */
  readonly orphaned: boolean;
  readonly accepted: number;
  readonly delivered: number;
  readonly deadLettered: number;
  readonly shed: number;
  readonly shedByReason: Readonly<Partial<Record<ShedReason, number>>>;
  readonly pending: number;
  /** How long the oldest record has waited, 0 when none does. */
  readonly oldestAgeMs: number;
}

export interface OutboxStats {
  /** `storage-full`: new records are counted as shed until there is room; `failed`: the journal is gone. */
  readonly state: 'ok' | 'storage-full' | 'failed' | 'closed';
  /** On the disk: records and blobs that wait or are not deleted yet. */
  readonly bytes: number;
  /** In memory, not durable yet. */
  readonly queuedRecords: number;
  readonly queuedBytes: number;
  /** Records `append` took since the start and a sink wants. */
  readonly appended: number;
  /** Records `append` refused, by reason. They belong to no sink. */
  readonly refused: Readonly<Record<string, number>>;
  /** Records of a kind no sink takes. */
  readonly unrouted: number;
  readonly deadLettersDropped: number;
  readonly lastCommitMs: number;
  readonly lastError:
    | { readonly code: string; readonly message: string; readonly at: string }
    | undefined;
  readonly sinks: readonly SinkCounts[];
}

export function sumLanes(
  id: string,
  required: boolean,
  lanes: readonly Lane[],
  nowMs: number,
): SinkCounts {
  let accepted = 0;
  let delivered = 0;
  let deadLettered = 0;
  let pending = 0;
  let shed = 0;
  let oldestMs = nowMs;
  const shedByReason: Partial<Record<ShedReason, number>> = {};
  for (const lane of lanes) {
    accepted += lane.accepted;
    delivered += lane.delivered;
    deadLettered += lane.deadLettered;
    pending += lane.pending;
    oldestMs = Math.min(oldestMs, lane.oldestMs ?? nowMs);
    for (const [reason, count] of lane.shed) {
      shed += count;
      shedByReason[reason] = (shedByReason[reason] ?? 0) + count;
    }
  }
  return {
    ...{ id, required, accepted, delivered, deadLettered, shed, shedByReason, pending },
    orphaned: lanes.some((lane) => lane.orphaned),
    oldestAgeMs: Math.max(0, nowMs - oldestMs),
  };
}
