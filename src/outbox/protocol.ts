import type { RecordKind } from '../common/delivery.ts';
import type { ThreadClient } from '../common/thread-client.ts';
import type { ChunkHeader } from './chunk.ts';

/** What the outbox and its journal thread say to each other. Byte arrays travel by transfer, never by copy. */

export interface NewBlob {
  readonly seq: number;
  readonly data: Uint8Array;
}

export interface NewChunk extends ChunkHeader {
  readonly data: Uint8Array;
  readonly blobs: readonly NewBlob[];
}

/** A chunk as it was read; `data` is undefined when its checksum does not fit. */
export interface ReadChunk extends ChunkHeader {
  readonly data: Uint8Array | undefined;
}

/** Why records were given up. */
export type ShedReason = 'bytes' | 'age' | 'disk-full' | 'disk-error' | 'corrupt' | 'missing';

/** The persisted state of one sink for one kind of record. */
export interface LaneRow {
  readonly sinkId: string;
  readonly kind: RecordKind;
  /** Every record of the kind up to here has found its fate. */
  readonly cursor: number;
  readonly accepted: number;
  readonly delivered: number;
  readonly deadLettered: number;
  readonly shed: Readonly<Partial<Record<ShedReason, number>>>;
  /** Records beyond the cursor that have found their fate already. */
  readonly ahead: readonly number[];
  /** True while no configured sink takes this lane: it keeps what waits and accepts nothing new. */
  readonly orphaned: boolean;
}

export interface StoredLane extends LaneRow {
  /** Records in the journal that still wait, counted from the chunks. */
  readonly pending: number;
  /** When the oldest of them was stored, 0 when none waits. */
  readonly oldestMs: number;
}

export interface NewDeadLetter {
  readonly sinkId: string;
  readonly seq: number;
  readonly kind: RecordKind;
  readonly streamId: string;
  readonly recordId: string;
  readonly atMs: number;
  readonly deadMs: number;
  readonly attempts: number;
  readonly code: string;
  readonly reason: string;
  readonly payload: Uint8Array;
}

/** A dead letter as listed: all but its payload. */
export interface DeadLetter extends Omit<NewDeadLetter, 'payload'> {
  readonly payloadBytes: number;
}

export interface JournalOptions {
  readonly dir: string;
  readonly ballastBytes: number;
  readonly deadLetterBytes: number;
  readonly deadLetterAgeMs: number;
}

export interface JournalState {
  readonly lastSeq: number;
  readonly storedBytes: number;
  readonly lanes: readonly StoredLane[];
  readonly deadLettersDropped: number;
}

export interface CommitRequest {
  readonly chunks: readonly NewChunk[];
  readonly lanes: readonly LaneRow[];
  /** Lanes that no longer exist. */
  readonly dropLanes: readonly { readonly sinkId: string; readonly kind: RecordKind }[];
  readonly deadLetters: readonly NewDeadLetter[];
  /** Chunks of a kind whose last record is not above its floor may be deleted. */
  readonly floors: Readonly<Record<RecordKind, number>>;
  readonly nowMs: number;
}

export interface DiskTrouble {
  readonly reason: 'disk-full' | 'disk-error';
  readonly message: string;
}

export interface CommitReply {
  /** False when the chunks could not be stored; nothing of them is left behind. */
  readonly stored: boolean;
  /** False when lanes and dead letters could not be stored either. */
  readonly stateSaved: boolean;
  readonly trouble: DiskTrouble | undefined;
  /** The buffers of `chunks`, given back. */
  readonly data: readonly Uint8Array[];
  readonly freedBytes: number;
  /** True when more chunks than one step deletes lie below the floors. */
  readonly moreToCollect: boolean;
  readonly deadLettersDropped: number;
  readonly fsyncMs: number;
}

export interface ReadRequest {
  readonly kinds: readonly RecordKind[];
  readonly afterSeq: number;
  readonly untilSeq: number;
  readonly maxBytes: number;
}

export interface OldestRequest {
  readonly kind: RecordKind;
  readonly limit: number;
}

/** Operations of the journal thread: name, argument, result. */
export interface JournalCalls {
  open: { args: JournalOptions; result: JournalState };
  commit: { args: CommitRequest; result: CommitReply };
  read: { args: ReadRequest; result: readonly ReadChunk[] };
  /** A blob is undefined when it is gone or its checksum does not fit. */
  readBlobs: { args: readonly number[]; result: readonly (Uint8Array | undefined)[] };
  oldest: { args: OldestRequest; result: readonly ChunkHeader[] };
  deadLetters: {
    args: { readonly sinkId: string | undefined; readonly limit: number };
    result: readonly DeadLetter[];
  };
  close: { args: undefined; result: undefined };
}

export type JournalThread = ThreadClient<JournalCalls>;
