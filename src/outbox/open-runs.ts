const RUN_RECORDS = 512;

/** Records with consecutive numbers that were stored at the same time: one object for hundreds of them. */
interface Run {
  readonly first: number;
  readonly storedMs: number;
  /** 1 where the record is settled. */
  readonly settled: Uint8Array;
  count: number;
  open: number;
}

/** What was handed out since the oldest record without a fate, in order: which of it is open and which settled. */
export class OpenRuns {
  #runs: Run[] = [];
  /** The run that was asked for last: most questions are about neighbours. */
  #recent: Run | undefined;

  /** The first open record, undefined when there is none. */
  get first(): { readonly seq: number; readonly storedMs: number } | undefined {
    const [run] = this.#runs;
    return run && { seq: run.first + run.settled.indexOf(0), storedMs: run.storedMs };
  }

  /** @param seq above all before */
  add(seq: number, storedMs: number): void {
    const last = this.#runs.at(-1);
    const goesOn =
      last !== undefined &&
      seq === last.first + last.count &&
      storedMs === last.storedMs &&
      last.count < RUN_RECORDS;
    if (goesOn) {
      last.count++;
      last.open++;
      return;
    }
    const settled = new Uint8Array(RUN_RECORDS);
    this.#runs.push({ first: seq, storedMs, settled, count: 1, open: 1 });
  }

  has(seq: number): boolean {
    const run = this.#runOf(seq);
    return run !== undefined && run.settled[seq - run.first] === 0;
  }

  /** False when the record is not open. */
  settle(seq: number): boolean {
    const run = this.#runOf(seq);
    if (run === undefined || run.settled[seq - run.first] !== 0) return false;
    run.settled[seq - run.first] = 1;
    run.open--;
    return true;
  }

  /** Forgets the runs at the beginning that have nothing open. Call after `settle`. */
  trim(): void {
    let gone = 0;
    while (this.#runs[gone]?.open === 0) gone++;
    if (gone === 0) return;
    this.#runs = this.#runs.slice(gone);
    this.#recent = undefined;
  }

  clear(): void {
    this.#runs = [];
    this.#recent = undefined;
  }

  /** Open records in [first, last]. */
  openIn(first: number, last: number): number[] {
    return this.#numbers(0, (seq) => seq >= first && seq <= last);
  }

  /** Settled records above the first open one. */
  settledAhead(): number[] {
    const start = this.first;
    return start === undefined ? [] : this.#numbers(1, (seq) => seq > start.seq);
  }

  #numbers(state: 0 | 1, isMeant: (seq: number) => boolean): number[] {
    const numbers: number[] = [];
    for (const { first, count, settled } of this.#runs) {
      for (let index = 0; index < count; index++) {
        if (settled[index] === state && isMeant(first + index)) numbers.push(first + index);
      }
    }
    return numbers;
  }

  #runOf(seq: number): Run | undefined {
    if (this.#recent !== undefined && isIn(this.#recent, seq)) return this.#recent;
    let low = 0;
    let high = this.#runs.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#runs[middle]!.first <= seq) low = middle;
      else high = middle - 1;
    }
    const run = this.#runs[low];
    if (run === undefined || !isIn(run, seq)) return undefined;
    this.#recent = run;
    return run;
  }
}

function isIn({ first, count }: Run, seq: number): boolean {
  return seq >= first && seq < first + count;
}
