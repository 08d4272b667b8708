import type { RecordKind } from '../common/delivery.ts';
import type { HistogramView } from './histogram.ts';
import type { Lane } from './lane.ts';
import type { DiskSpace, Pressure } from './pressure.ts';
import type { BytesByKind, ShedReason } from './protocol.ts';

/** One sink's counters. accepted = delivered + filtered + deadLettered + shed + pending, at all times. */
export interface SinkCounts {
  readonly id: string;
  readonly required: boolean;
  /** True when the configuration no longer has the sink but records wait for it. */
  readonly orphaned: boolean;
  readonly accepted: number;
  readonly delivered: number;
  /** Settled by the sink's own filter, never sent. */
  readonly filtered: number;
  readonly deadLettered: number;
  /** By the code of the error; `unknown` for those of an older format. */
  readonly deadLetteredByCode: Readonly<Record<string, number>>;
  readonly shed: number;
  readonly shedByReason: Readonly<Partial<Record<ShedReason, number>>>;
  readonly shedByKind: Readonly<Partial<Record<RecordKind, SinkCounts['shedByReason']>>>;
  readonly pending: number;
  /** How long the oldest record has waited, 0 when none does. */
  readonly oldestAgeMs: number;
}

/** `pressure`: a bound has no room for the kind; `queue-full`: the disk is behind; `failed`: the journal is gone. */
export type RefusalReason = 'queue-full' | 'pressure' | 'failed';

export interface OutboxStats {
  /**
   * `storage-full`, `storage-failed`: new records are counted as shed until the disk takes them again, what is stored is
   * delivered; `failed`: the journal is gone.
   */
  readonly state: 'ok' | 'storage-full' | 'storage-failed' | 'failed' | 'closed';
  readonly pressure: Pressure;
  /** What is free on the disk, as of the last look, at most 5 s ago; undefined before the first. */
  readonly space: DiskSpace | undefined;
  /** On the disk: records and blobs that wait or are not deleted yet. */
  readonly bytes: number;
  readonly bytesByKind: BytesByKind;
  /** In memory, not durable yet. */
  readonly queuedRecords: number;
  readonly queuedBytes: number;
  /** Records `append` took since the start and a sink wants. */
  readonly appended: number;
  /** Records `append` refused, by reason and by kind. They belong to no sink. */
  readonly refused: Readonly<Record<RefusalReason, number>>;
  readonly refusedByKind: Readonly<Record<RecordKind, Readonly<Record<RefusalReason, number>>>>;
  /** Records of a kind no sink takes. */
  readonly unrouted: number;
  /** Dead letters that were dropped to keep their bounds. */
  readonly deadLettersDropped: number;
  /** Records whose stored bytes were found damaged or gone, each once. */
  readonly corruptRecords: number;
  /** How long opening took, with what a crash left to do. */
  readonly recoverySeconds: number;
  /** Duration of commits in the journal thread, seconds: the wait for the disk is most of it. */
  readonly commitSeconds: HistogramView;
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
  let filtered = 0;
  let deadLettered = 0;
  let pending = 0;
  let shed = 0;
  let oldestMs = nowMs;
  const deadLetteredByCode: Record<string, number> = {};
  const shedByReason: Partial<Record<ShedReason, number>> = {};
  const shedByKind: Partial<Record<RecordKind, SinkCounts['shedByReason']>> = {};
  for (const lane of lanes) {
    accepted += lane.accepted;
    delivered += lane.delivered;
    filtered += lane.filtered;
    deadLettered += lane.deadLettered;
    pending += lane.pending;
    oldestMs = Math.min(oldestMs, lane.oldestMs ?? nowMs);
    for (const [code, count] of lane.deadByCode) {
      deadLetteredByCode[code] = (deadLetteredByCode[code] ?? 0) + count;
    }
    if (lane.shed.size > 0) shedByKind[lane.kind] = Object.fromEntries(lane.shed);
    for (const [reason, count] of lane.shed) {
      shed += count;
      shedByReason[reason] = (shedByReason[reason] ?? 0) + count;
    }
  }
  return {
    ...{ id, required, accepted, delivered, filtered, deadLettered, deadLetteredByCode },
    ...{ shed, shedByReason, shedByKind, pending },
    orphaned: lanes.some((lane) => lane.orphaned),
    oldestAgeMs: Math.max(0, nowMs - oldestMs),
  };
}
