/**
 * What a fleet keeps outside of its boxes: leases, and documents that are changed by compare-and-set. Nothing in it is a
 * time: clocks of different machines are never compared.
 */

/**
 * A lease as it is stored. Whoever holds it gives it a new `version` with every renewal. Another one may take it only
 * after seeing one and the same version for all of `durationMs` on its own monotonic clock (`LeaseObserver`).
 */
export interface LeaseRow {
  readonly key: string;
  /** Instance that holds it; empty: nobody. */
  readonly owner: string;
  /** Random, new with every write. */
  readonly version: string;
  readonly durationMs: number;
  /** Grows by one each time it is acquired, and never falls: a fencing token. */
  readonly token: number;
  /** What the holder says with its renewals: JSON, under 1 KB so that a renewal costs one write unit. */
  readonly data: string;
}

export type LeaseOutcome =
  | { readonly done: true; readonly lease: LeaseRow }
  /** Somebody else was faster; `current` is what stands there now, as far as there is one. */
  | { readonly done: false; readonly current: LeaseRow | undefined };

export interface StoredDocument {
  readonly id: string;
  /** 1 when it is made, one more with every change. */
  readonly version: number;
  readonly body: string;
}

export type DocumentOutcome =
  | { readonly done: true; readonly version: number }
  | { readonly done: false; readonly current: StoredDocument | undefined };

export interface LeaseClaim {
  readonly owner: string;
  /** The version it is to get. */
  readonly version: string;
  readonly durationMs: number;
  readonly data: string;
  /** Version that was watched for a whole duration: the lease is taken from its holder if it still stands there. */
  readonly expired?: string;
}

/** A body may not be longer, in bytes of UTF-8: an item of DynamoDB holds 400 KB with all its names. */
export const MAX_BODY_BYTES = 380 * 1024;

/**
 * Every call has a limit of time and throws `SL_UNAVAILABLE` or `SL_TIMEOUT` when the store did not answer; a write may
 * have happened then. Answers are as of a moment between call and return: never from a stale copy.
 */
export interface FleetStore {
  /** In words, for errors and views; no secret in it. */
  readonly name: string;
  lease(key: string): Promise<LeaseRow | undefined>;
  /** By key. */
  leases(): Promise<readonly LeaseRow[]>;
  /** Takes a lease that does not exist, that nobody holds, or whose version is still `expired`. */
  acquire(key: string, claim: LeaseClaim): Promise<LeaseOutcome>;
  /** Gives the lease a new version if it still has `version`: then it was the caller's all the time. */
  renew(
    key: string,
    change: { readonly version: string; readonly next: string; readonly data: string },
  ): Promise<LeaseOutcome>;
  /**
   * Frees the lease if it still has `version`: by its holder, or by one who watched the version for a whole duration. The
   * row stays, with its token.
   */
  release(
    key: string,
    change: { readonly version: string; readonly next: string },
  ): Promise<LeaseOutcome>;
  document(collection: string, id: string): Promise<StoredDocument | undefined>;
  /** By id. */
  documents(collection: string): Promise<readonly StoredDocument[]>;
  /**
   * Writes if the version is still `expected` (0: there is none). Throws `SL_REQUEST_INVALID` for more than
   * `MAX_BODY_BYTES`.
   */
  put(collection: string, id: string, body: string, expected: number): Promise<DocumentOutcome>;
  /** Deletes if the version is still `expected`. */
  remove(collection: string, id: string, expected: number): Promise<DocumentOutcome>;
  /** Idempotent. */
  close(): Promise<void>;
}
