import type { RecordKind } from '../common/delivery.ts';
import type { ThreadClient } from '../common/thread-client.ts';
import type { ChunkHeader } from './chunk.ts';
import type { OutboxEncryption } from './options.ts';

/**
 * What the outbox and its journal thread say to each other. Bytes of records lie in shared memory, other byte arrays travel by
 * transfer; only small ones are copied.
 */

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

/** Why the disk takes nothing. */
export type DiskReason = 'disk-full' | 'no-inodes' | 'no-files' | 'read-only' | 'disk-error';

/** Why records were given up: a bound of the outbox, the disk, or what was found of them. */
export type ShedReason =
  | 'bytes'
  | 'free-space'
  | 'inodes'
  | 'age'
  | DiskReason
  | 'corrupt'
  | 'missing';

/** The persisted state of one sink for one kind of record. */
export interface LaneRow {
  readonly sinkId: string;
  readonly kind: RecordKind;
  /** Every record of the kind up to here has found its fate. */
  readonly cursor: number;
  readonly accepted: number;
  readonly delivered: number;
  readonly filtered: number;
  /** Dead letters by the code of their error. */
  readonly deadByCode: Readonly<Record<string, number>>;
  readonly shed: Readonly<Partial<Record<ShedReason, number>>>;
  /** Records beyond the cursor that have found their fate already. */
  readonly ahead: readonly number[];
  /** True while no configured sink takes this lane: it keeps what waits and accepts nothing new. */
  readonly orphaned: boolean;
  /** Of an orphaned lane: nothing above is for it. Undefined while that is not known or the lane is in use. */
  readonly endSeq: number | undefined;
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
  /** When it came here: wall time, for people. */
  readonly deadMs: number;
  readonly attempts: number;
  readonly code: string;
  readonly reason: string;
  readonly payload: Uint8Array;
}

/** A dead letter as listed: all but its payload. Ids grow; none is used twice. */
export interface DeadLetter extends Omit<NewDeadLetter, 'payload'> {
  readonly id: number;
  readonly payloadBytes: number;
}

export interface WholeDeadLetter extends DeadLetter {
  readonly payload: Uint8Array;
}

/** As it was read; its payload is undefined when its bytes are damaged. */
export interface ReadDeadLetter extends DeadLetter {
  readonly payload: Uint8Array | undefined;
}

/** Some dead letters by id, or those of a sink up to an id. */
export type DeadLetterChoice =
  | readonly number[]
  | { readonly sinkId: string; readonly upToId: number };

export interface DeadLetterRequest {
  readonly choice: DeadLetterChoice;
  readonly afterId: number;
  readonly maxBytes: number;
}

export interface DeadLetterQuery {
  readonly sinkId: string | undefined;
  /** Only letters with a smaller id. */
  readonly beforeId: number | undefined;
  readonly limit: number;
}

/** Sequence numbers in (after, upTo]. */
export interface SeqRange {
  readonly after: number;
  readonly upTo: number;
}

export interface JournalOptions {
  readonly dir: string;
  readonly ballastBytes: number;
  readonly deadLetterBytes: number;
  readonly deadLetterAgeMs: number;
  readonly encryption: OutboxEncryption | undefined;
}

export interface JournalState {
  readonly lastSeq: number;
  readonly storedBytes: BytesByKind;
  readonly lanes: readonly StoredLane[];
  readonly deadLettersDropped: number;
  /** Blobs no row spoke of, removed at the start. */
  readonly strayBlobs: number;
  /** What `nowMs` was last, 0 for a new journal. */
  readonly clockMs: number;
}

export type BytesByKind = Readonly<Record<RecordKind, number>>;

export interface CommitRequest {
  readonly chunks: readonly NewChunk[];
  readonly lanes: readonly LaneRow[];
  /** Lanes that no longer exist. */
  readonly dropLanes: readonly { readonly sinkId: string; readonly kind: RecordKind }[];
  readonly deadLetters: readonly NewDeadLetter[];
  /** Dead letters whose records the chunks bring back: with all of them or not at all. */
  readonly retried: readonly number[];
  /** Chunks that lie wholly in one of their kind's ranges may be deleted. */
  readonly free: Readonly<Record<RecordKind, readonly SeqRange[]>>;
  /** Where each lane is, for chunks that are for some sinks only: they may be deleted when all of these are past. */
  readonly cursors: readonly {
    readonly sinkId: string;
    readonly kind: RecordKind;
    readonly cursor: number;
  }[];
  /** The outbox' own clock, see OutboxClock. */
  readonly nowMs: number;
}

export interface DiskTrouble {
  readonly reason: DiskReason;
  readonly message: string;
}

export interface CommitReply {
  /** False when the chunks could not be stored; nothing of them is left behind. */
  readonly stored: boolean;
  /** False when lanes and dead letters could not be stored either. */
  readonly stateSaved: boolean;
  readonly trouble: DiskTrouble | undefined;
  /** The buffers of the blobs of `chunks`, in order, given back. */
  readonly blobs: readonly Uint8Array[];
  readonly freed: BytesByKind;
  /** True when more chunks than one step deletes lie in the free ranges. */
  readonly moreToCollect: boolean;
  readonly deadLettersDropped: number;
  /** Of the whole step, most of it the wait for the disk. */
  readonly durationMs: number;
}

export interface ReadRequest {
  readonly kinds: readonly RecordKind[];
  readonly afterSeq: number;
  readonly untilSeq: number;
  readonly maxBytes: number;
  /** Memory to read into, as far as it goes. */
  readonly memory: readonly SharedArrayBuffer[];
}

export interface ReadReply {
  readonly chunks: readonly ReadChunk[];
  /** How many buffers of the memory, from the first, the data of chunks lies in. */
  readonly used: number;
}

export interface HeadersRequest {
  readonly kind: RecordKind;
  readonly afterSeq: number;
  readonly limit: number;
}

/** Operations of the journal thread: name, argument, result. */
export interface JournalCalls {
  open: { args: JournalOptions; result: JournalState };
  commit: { args: CommitRequest; result: CommitReply };
  read: { args: ReadRequest; result: ReadReply };
  /** A blob is undefined when it is gone or its checksum does not fit. */
  readBlobs: { args: readonly number[]; result: readonly (Uint8Array | undefined)[] };
  headers: { args: HeadersRequest; result: readonly ChunkHeader[] };
  /** Gives up to `maxBytes` of what the journal's file holds unused back to the disk; returns the bytes still unused. */
  shrink: { args: { readonly maxBytes: number }; result: number };
  deadLetters: { args: DeadLetterQuery; result: readonly DeadLetter[] };
  /** Whole, oldest first, at least one and about `maxBytes` of those that still exist. */
  takeDeadLetters: { args: DeadLetterRequest; result: readonly ReadDeadLetter[] };
  /** Deletes some; returns how many, 0 when none is left. */
  purgeDeadLetters: { args: DeadLetterChoice; result: number };
  close: { args: undefined; result: undefined };
}

export type JournalThread = ThreadClient<JournalCalls>;
