import type { RecordKind } from '../common/delivery.ts';
import type { LaneRow, ShedReason, StoredLane } from './protocol.ts';

/**
 * One sink's way through the records of one kind: what was accepted for it, what was handed out, and each record's
 * fate. At all times accepted = delivered + dead-lettered + shed + pending.
 */
export class Lane {
  readonly sinkId: string;
  readonly kind: RecordKind;
  accepted = 0;
  delivered = 0;
  deadLettered = 0;
  pending = 0;
  orphaned = false;
  /** Changed since the last `takeRow`. */
  dirty = false;
  readonly shed = new Map<ShedReason, number>();
  /** Handed out and still without a fate, in order, with the wall time it was stored. */
  readonly #open = new Map<number, number>();
  /** Above the cursor, but settled already. */
  readonly #ahead = new Set<number>();
  #cursor: number;
  #readSeq: number;
  /** When the oldest record that waits was stored, as far as nothing is handed out. */
  #waitingSinceMs = 0;

  constructor(sinkId: string, kind: RecordKind, startSeq: number) {
    this.sinkId = sinkId;
    this.kind = kind;
    this.#cursor = startSeq;
    this.#readSeq = startSeq;
  }

  static restore(row: StoredLane): Lane {
    const lane = new Lane(row.sinkId, row.kind, row.cursor);
    lane.accepted = row.accepted;
    lane.delivered = row.delivered;
    lane.deadLettered = row.deadLettered;
    lane.pending = row.pending;
    lane.orphaned = row.orphaned;
    lane.#waitingSinceMs = row.oldestMs;
    for (const [reason, count] of Object.entries(row.shed)) {
      lane.shed.set(reason as ShedReason, count);
    }
    for (const seq of row.ahead) lane.#ahead.add(seq);
    return lane;
  }

  get cursor(): number {
    return this.#cursor;
  }

  /** Every record of the kind up to here was handed out or has its fate. */
  get readSeq(): number {
    return this.#readSeq;
  }

  get shedTotal(): number {
    let total = 0;
    for (const count of this.shed.values()) total += count;
    return total;
  }

  /** When the oldest record that waits was stored (wall ms), undefined when none does. */
  get oldestMs(): number | undefined {
    if (this.pending === 0) return undefined;
    const { done, value } = this.#open.values().next();
    return done ? this.#waitingSinceMs : value;
  }

  accept(nowMs: number): void {
    if (this.pending === 0) this.#waitingSinceMs = nowMs;
    this.accepted++;
    this.pending++;
    this.dirty = true;
  }

  /** Whether the record still has to be handed out. */
  wants(seq: number): boolean {
    return seq > this.#readSeq && !this.#ahead.has(seq);
  }

  isOpen(seq: number): boolean {
    return this.#open.has(seq);
  }

  handOut(seq: number, storedMs: number): void {
    this.#open.set(seq, storedMs);
    this.#readSeq = seq;
  }

  /** Nothing of the kind up to `seq` is left to hand out. */
  passTo(seq: number): void {
    if (seq <= this.#readSeq) return;
    this.#readSeq = seq;
    this.#advance();
  }

  /** Returns how many of the records were still open. */
  settle(seqs: readonly number[], fate: 'delivered' | 'dead-lettered'): number {
    const count = this.#close(seqs);
    if (fate === 'delivered') this.delivered += count;
    else this.deadLettered += count;
    return count;
  }

  /** Gives up handed-out records. */
  shedOpen(seqs: readonly number[], reason: ShedReason): void {
    this.#countShed(this.#close(seqs), reason);
  }

  /** Gives up every record of the chunk [first, last] that has no fate yet. */
  shedChunk(first: number, last: number, reason: ShedReason): void {
    const open: number[] = [];
    for (const seq of this.#open.keys()) {
      if (seq > last) break;
      if (seq >= first) open.push(seq);
    }
    let count = this.#close(open);
    for (let seq = Math.max(first, this.#readSeq + 1); seq <= last; seq++) {
      if (this.#ahead.has(seq)) continue;
      count++;
      this.pending--;
    }
    this.#countShed(count, reason);
    this.passTo(last);
  }

  /** Gives up records that were accepted but never stored. */
  shedUnstored(count: number, reason: ShedReason): void {
    this.pending -= count;
    this.#countShed(count, reason);
  }

  /** Makes the law hold again after the set of records the lane takes was changed. */
  rebase(): void {
    this.accepted = this.delivered + this.deadLettered + this.shedTotal + this.pending;
    this.dirty = true;
  }

  /** After a crash: counts as missing what was accepted but is neither stored nor has a fate. */
  reconcile(): void {
    const known = this.delivered + this.deadLettered + this.shedTotal + this.pending;
    if (this.accepted > known) this.#countShed(this.accepted - known, 'missing');
    else if (this.accepted < known) this.rebase();
  }

  takeRow(): LaneRow {
    this.dirty = false;
    return {
      sinkId: this.sinkId,
      kind: this.kind,
      cursor: this.#cursor,
      accepted: this.accepted,
      delivered: this.delivered,
      deadLettered: this.deadLettered,
      shed: Object.fromEntries(this.shed),
      ahead: [...this.#ahead],
      orphaned: this.orphaned,
    };
  }

  #close(seqs: readonly number[]): number {
    let count = 0;
    for (const seq of seqs) {
      if (!this.#open.delete(seq)) continue;
      this.#ahead.add(seq);
      count++;
    }
    if (count === 0) return 0;
    this.pending -= count;
    this.dirty = true;
    this.#advance();
    return count;
  }

  #countShed(count: number, reason: ShedReason): void {
    if (count === 0) return;
    this.shed.set(reason, (this.shed.get(reason) ?? 0) + count);
    this.dirty = true;
  }

  #advance(): void {
    const { done, value: firstOpen } = this.#open.keys().next();
    const cursor = done ? this.#readSeq : firstOpen - 1;
    if (cursor === this.#cursor) return;
    this.#cursor = cursor;
    for (const seq of this.#ahead) if (seq <= cursor) this.#ahead.delete(seq);
  }
}
