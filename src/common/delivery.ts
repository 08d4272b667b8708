/**
 * The contract between the outbox and the sinks. It lives in `common` so that neither imports the other.
 */

/**
 * What a record is: `frame` a sightline.v1.Frame, `image` a sightline.v1.Image, `segment` a sightline.v1.Segment (the
 * index of a recorded file, not the file), `event` JSON (UTF-8).
 */
export type RecordKind = 'frame' | 'image' | 'event' | 'segment';

/** Every kind. The outbox keeps places in this list on the disk: new ones go to its end. */
export const RECORD_KINDS = ['frame', 'image', 'event', 'segment'] as const satisfies RecordKind[];

/** A value for each kind. */
export function byKind<T>(make: (kind: RecordKind) => T): Record<RecordKind, T> {
  return {
    frame: make('frame'),
    image: make('image'),
    event: make('event'),
    segment: make('segment'),
  };
}

/** A record on its way: accepted once, delivered at least once to every sink that takes its kind. */
export interface OutboxRecord {
  readonly kind: RecordKind;
  readonly streamId: string;
  /** Deterministic: a resend carries the same id, so consumers can remove duplicates. */
  readonly recordId: string;
  /** Capture time, ms since the Unix epoch (wall clock; data only, never used for timers). */
  readonly atMs: number;
  /** Wire bytes (protobuf for frame and image, JSON for event). */
  readonly payload: Uint8Array;
  /** Ids of the sinks it is for; absent: all that take its kind. */
  readonly sinks?: readonly string[];
}

/** A record as the outbox hands it to a sink. `seq` orders all records of the outbox. */
export interface PendingRecord extends Omit<OutboxRecord, 'sinks'> {
  readonly seq: number;
}

/** The fate of one record of a batch, in the order of the batch. */
export type DeliveryResult =
  | { readonly status: 'accepted' }
  /** The sink's own filter does not want it: settled, never sent. */
  | { readonly status: 'filtered' }
  /** Trying again can help (this record only); `error` says why it failed. */
  | { readonly status: 'retry'; readonly error: Error }
  /** Will never be taken: goes to the dead letters. */
  | { readonly status: 'rejected'; readonly error: Error };

export interface SinkLimits {
  readonly maxRecords: number;
  /** Sum of payload bytes a batch may hold, before the sink's own encoding. */
  readonly maxBytes: number;
  /** How long a record may wait for a batch to fill. */
  readonly maxWaitMs: number;
}

/**
 * Where records go. One file in `src/sinks` each.
 *
 * `deliver` either resolves with one result a record, or throws when the whole batch failed: a `SightlineError`
 * whose code says how to go on (`SL_SINK_UNAVAILABLE`, `SL_SINK_TIMEOUT` and `SL_SINK_THROTTLED` back off,
 * `SL_SINK_UNAUTHORIZED` probes slowly, `SL_SINK_REJECTED` bisects the batch). It must obey `signal`.
 */
export interface Sink {
  readonly id: string;
  readonly type: string;
  readonly kinds: readonly RecordKind[];
  readonly limits: SinkLimits;
  /** `prepare` and `deliver` copy what they need of records before they return: the memory of these is used again. */
  readonly copies?: true;
  /**
   * Called once before the first `deliver`, for sinks that have something to do without records too (a presence to
   * announce, files of a former run to finish). Returns at once and never throws; what it begins ends with `close`.
   */
  start?(): void;
  /** Objects that its backup took in place of it, since the start; absent without a backup. */
  readonly backupObjects?: number | undefined;
  /**
   * Tells the batch that is likely to be delivered next while another is under way, so that what does not touch the
   * outside (a copy, an encoding) is done meanwhile. It may never come, or come differently; nothing of it may be sent.
   */
  prepare?(batch: readonly PendingRecord[]): void;
  deliver(
    batch: readonly PendingRecord[],
    options: { signal: AbortSignal },
  ): Promise<readonly DeliveryResult[]>;
  /** Closes connections and files. Idempotent. */
  close(): Promise<void>;
}
