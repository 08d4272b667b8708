import type { SightlineError } from '../common/errors.ts';
import { Histogram, type HistogramView, RECORDS, SECONDS } from './histogram.ts';

export type AttemptOutcome = 'ok' | 'partial' | 'failed';

/** One attempt, for metrics. */
export interface AttemptReport {
  readonly sinkId: string;
  readonly records: number;
  readonly bytes: number;
  readonly durationMs: number;
  readonly outcome: AttemptOutcome;
}

/** The last error as shown to people; the time is wall time. */
export interface LastError {
  readonly code: string;
  readonly message: string;
  readonly at: string;
}

export interface DeliveryFigures {
  /** Records that had to be tried again, each time. */
  readonly retries: number;
  /** The same by the code of the error. */
  readonly retriesByCode: Readonly<Record<string, number>>;
  /** Records an attempt. */
  readonly batchRecords: HistogramView;
  readonly sendSeconds: Readonly<Record<AttemptOutcome, HistogramView>>;
}

/** Counts what the attempts of one sink did since the start. */
export class DeliveryMeters {
  readonly #batchRecords = new Histogram(RECORDS);
  readonly #sendSeconds = {
    ok: new Histogram(SECONDS),
    partial: new Histogram(SECONDS),
    failed: new Histogram(SECONDS),
  };
  readonly #retriesByCode = new Map<string, number>();
  lastError: LastError | undefined;

  attempted({ records, durationMs, outcome }: AttemptReport): void {
    this.#batchRecords.observe(records);
    this.#sendSeconds[outcome].observe(durationMs / 1000);
  }

  retried(code: string, records = 1): void {
    if (records > 0) {
      this.#retriesByCode.set(code, (this.#retriesByCode.get(code) ?? 0) + records);
    }
  }

  /** False when it says what the last one said. */
  note({ code, message }: SightlineError): boolean {
    const isNews = this.lastError?.message !== message;
    this.lastError = { code, message, at: new Date().toISOString() };
    return isNews;
  }

  figures(): DeliveryFigures {
    let retries = 0;
    for (const count of this.#retriesByCode.values()) retries += count;
    const { ok, partial, failed } = this.#sendSeconds;
    return {
      retries,
      retriesByCode: Object.fromEntries(this.#retriesByCode),
      batchRecords: this.#batchRecords.view(),
      sendSeconds: { ok: ok.view(), partial: partial.view(), failed: failed.view() },
    };
  }
}
