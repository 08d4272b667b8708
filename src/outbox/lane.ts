import type { RecordKind } from '../common/delivery.ts';
import { OpenRuns } from './open-runs.ts';
import type { LaneRow, ShedReason, StoredLane } from './protocol.ts';

/**
 * One sink's way through the records of one kind: what was accepted for it, what was handed out, and each record's
 * fate. At all times accepted = delivered + filtered + dead-lettered + shed + pending.
 */
export class Lane {
  readonly sinkId: string;
  readonly kind: RecordKind;
  accepted = 0;
  delivered = 0;
  filtered = 0;
  pending = 0;
  /** No sink has the lane: it keeps what waits and accepts nothing new. Nothing above `endSeq` is for it then. */
  orphaned = false;
  endSeq = Number.POSITIVE_INFINITY;
  /** Changed since the last `takeRow`. */
  dirty = false;
  readonly shed = new Map<ShedReason, number>();
  /** Dead letters by the code of their error. */
  readonly deadByCode = new Map<string, number>();
  /** Handed out, from the first that has no fate. */
  readonly #open = new OpenRuns();
  /** Above the cursor, but settled before they could be handed out again. */
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
    lane.filtered = row.filtered;
    lane.pending = row.pending;
    lane.orphaned = row.orphaned;
    lane.endSeq = row.endSeq ?? Number.POSITIVE_INFINITY;
    lane.#waitingSinceMs = row.oldestMs;
    for (const [reason, count] of Object.entries(row.shed)) {
      lane.shed.set(reason as ShedReason, count);
    }
    for (const [code, count] of Object.entries(row.deadByCode)) lane.deadByCode.set(code, count);
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
    return sum(this.shed.values());
  }

  get deadLettered(): number {
    return sum(this.deadByCode.values());
  }

  /** When the oldest record that waits was stored (wall ms), undefined when none does. */
  get oldestMs(): number | undefined {
    if (this.pending === 0) return undefined;
    return this.#open.first?.storedMs ?? this.#waitingSinceMs;
  }

  accept(nowMs: number, count = 1): void {
    if (this.pending === 0) this.#waitingSinceMs = nowMs;
    this.accepted += count;
    this.pending += count;
    this.dirty = true;
  }

  /** Takes back what `accept` counted for records that never came to be. */
  unaccept(count: number): void {
    this.accepted -= count;
    this.pending -= count;
    this.dirty = true;
  }

  /** What is handed out and has no fate is to be handed out again. */
  rewind(): void {
    this.#waitingSinceMs = this.oldestMs ?? 0;
    for (const seq of this.#open.settledAhead()) this.#ahead.add(seq);
    this.#open.clear();
    this.#readSeq = this.#cursor;
  }

  /** Whether the record still has to be handed out. */
  wants(seq: number): boolean {
    return seq > this.#readSeq && !this.#ahead.has(seq);
  }

  isOpen(seq: number): boolean {
    return this.#open.has(seq);
  }

  handOut(seq: number, storedMs: number): void {
    this.#open.add(seq, storedMs);
    this.#readSeq = seq;
    // Whatever is handed out later was stored later.
    this.#waitingSinceMs = storedMs;
  }

  /** Nothing of the kind up to `seq` is left to hand out. */
  passTo(seq: number): void {
    if (seq <= this.#readSeq) return;
    this.#readSeq = seq;
    this.#advance();
  }

  /** Records that are not open any more are passed over. */
  settle(seqs: readonly number[], fate: 'delivered' | 'filtered'): void {
    this[fate] += this.#close(seqs);
  }

  /** False when the record is not open any more. */
  settleDead(seq: number, code: string): boolean {
    if (this.#close([seq]) === 0) return false;
    this.deadByCode.set(code, (this.deadByCode.get(code) ?? 0) + 1);
    return true;
  }

  /** Gives up handed-out records. */
  shedOpen(seqs: readonly number[], reason: ShedReason): void {
    this.#countShed(this.#close(seqs), reason);
  }

  /** Gives up every record of the chunk [first, last] that has no fate yet. */
  shedChunk(first: number, last: number, reason: ShedReason): void {
    let count = this.#close(this.#open.openIn(first, last));
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

  /** After a crash: counts as missing what was accepted but is neither stored nor has a fate. */
  reconcile(): void {
    const settled = this.delivered + this.filtered + this.deadLettered + this.shedTotal;
    const missing = this.accepted - settled - this.pending;
    if (missing > 0) this.#countShed(missing, 'missing');
    else if (missing < 0) {
      this.accepted -= missing;
      this.dirty = true;
    }
  }

  takeRow(): LaneRow {
    this.dirty = false;
    return {
      sinkId: this.sinkId,
      kind: this.kind,
      cursor: this.#cursor,
      accepted: this.accepted,
      delivered: this.delivered,
      filtered: this.filtered,
      deadByCode: Object.fromEntries(this.deadByCode),
      shed: Object.fromEntries(this.shed),
      ahead: [...this.#open.settledAhead(), ...this.#ahead],
      orphaned: this.orphaned,
      endSeq: Number.isFinite(this.endSeq) ? this.endSeq : undefined,
    };
  }

  #close(seqs: readonly number[]): number {
    let count = 0;
    for (const seq of seqs) if (this.#open.settle(seq)) count++;
    if (count === 0) return 0;
    this.#open.trim();
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
    const firstOpen = this.#open.first?.seq;
    const cursor = firstOpen === undefined ? this.#readSeq : firstOpen - 1;
    if (cursor === this.#cursor) return;
    this.#cursor = cursor;
    for (const seq of this.#ahead) if (seq <= cursor) this.#ahead.delete(seq);
  }
}

function sum(counts: Iterable<number>): number {
  let total = 0;
  for (const count of counts) total += count;
  return total;
}
