import type { DeliveryResult, PendingRecord, Sink } from '../../common/delivery.ts';
import { UNUSUAL } from '../format/field-reader.ts';
import { FrameFilter } from './frame-filter.ts';
import type { When } from './spec.ts';

const FILTERED: DeliveryResult = { status: 'filtered' };
/** Verdicts that are remembered: more than any outbox has on its way to one sink. */
const MAX_VERDICTS = 100_000;

/**
 * Passes on to a sink what its `when` lets through. Each record is judged once, and the verdict holds for every retry:
 * the filter remembers what it sent. After a restart it has forgotten, so that a frame may be judged anew.
 */
export class FilteredSink implements Sink {
  readonly #sink: Sink;
  readonly #frames: FrameFilter;
  readonly #types: RegExp | undefined;
  /** By `seq`: what to send, undefined for nothing. */
  readonly #verdicts = new Map<number, PendingRecord | undefined>();
  readonly start?: () => void;

  constructor(sink: Sink, when: When) {
    this.#sink = sink;
    if (sink.start !== undefined) this.start = () => sink.start?.();
    this.#frames = new FrameFilter(when);
    this.#types = when.types && globs(when.types);
  }

  get id(): string {
    return this.#sink.id;
  }

  get type(): string {
    return this.#sink.type;
  }

  get kinds(): Sink['kinds'] {
    return this.#sink.kinds;
  }

  get limits(): Sink['limits'] {
    return this.#sink.limits;
  }

  async deliver(
    batch: readonly PendingRecord[],
    options: { signal: AbortSignal },
  ): Promise<readonly DeliveryResult[]> {
    const passed: PendingRecord[] = [];
    const positions: number[] = [];
    for (const [index, record] of batch.entries()) {
      const verdict = this.#judged(record);
      if (verdict === undefined) continue;
      passed.push(verdict);
      positions.push(index);
    }
    const results: DeliveryResult[] = batch.map(() => FILTERED);
    if (passed.length > 0) {
      const inner = await this.#sink.deliver(passed, options);
      for (const [at, index] of positions.entries()) results[index] = inner[at]!;
    }
    for (const [index, { seq }] of batch.entries()) {
      if (results[index]!.status !== 'retry') this.#verdicts.delete(seq);
    }
    return results;
  }

  close(): Promise<void> {
    return this.#sink.close();
  }

  #judged(record: PendingRecord): PendingRecord | undefined {
    const { seq } = record;
    if (this.#verdicts.has(seq)) return this.#verdicts.get(seq);
    const verdict = this.#judge(record);
    if (this.#verdicts.size >= MAX_VERDICTS) {
      const [oldest] = this.#verdicts.keys();
      this.#verdicts.delete(oldest!);
    }
    this.#verdicts.set(seq, verdict);
    return verdict;
  }

  /** What cannot be read passes: the sink says what is wrong with it. */
  #judge(record: PendingRecord): PendingRecord | undefined {
    if (record.kind === 'image') return record;
    try {
      if (record.kind === 'frame') return this.#frames.judge(record);
      return this.#types === undefined || this.#types.test(typeOf(record)) ? record : undefined;
    } catch (error) {
      if (error === UNUSUAL || error instanceof SyntaxError) return record;
      throw error;
    }
  }
}

function typeOf({ payload }: PendingRecord): string {
  const { type } = JSON.parse(Buffer.from(payload).toString('utf8')) as { type?: unknown };
  return typeof type === 'string' ? type : '';
}

function globs(patterns: readonly string[]): RegExp {
  const parts = patterns.map((pattern) =>
    pattern.replace(/[.-]/g, '\\$&').replaceAll(/\*+/g, '.*'),
  );
  return new RegExp(`^(?:${parts.join('|')})$`);
}
