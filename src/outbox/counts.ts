import { byKind, type RecordKind } from '../common/delivery.ts';
import type { RefusalReason } from './stats.ts';

const MAX_REMEMBERED = 10_000;

/** Records that `append` refused. */
export class Refusals {
  readonly #counts: Readonly<Record<RecordKind, Record<RefusalReason, number>>> = byKind(none);

  /** Always false, what `append` answers then. */
  count(kind: RecordKind, reason: RefusalReason): false {
    this.#counts[kind][reason]++;
    return false;
  }

  byKind(): Record<RecordKind, Record<RefusalReason, number>> {
    return structuredClone(this.#counts);
  }

  byReason(): Record<RefusalReason, number> {
    const total = none();
    for (const counts of Object.values(this.#counts)) {
      for (const reason of Object.keys(total) as RefusalReason[]) total[reason] += counts[reason];
    }
    return total;
  }
}

function none(): Record<RefusalReason, number> {
  return { 'queue-full': 0, pressure: 0, failed: 0 };
}

/** Records whose stored bytes are damaged. Every sink that reads them finds that; they count once. */
export class CorruptCount {
  readonly #seen = new Set<number>();
  records = 0;

  add(firstSeq: number, count: number): void {
    if (this.#seen.has(firstSeq)) return;
    if (this.#seen.size < MAX_REMEMBERED) this.#seen.add(firstSeq);
    this.records += count;
  }
}
