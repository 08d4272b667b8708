import type { StreamCounters } from './protocol.ts';
import {
  addCounters,
  addUp,
  NO_SAMPLE,
  type SamplesByStream,
  type StreamSample,
} from './stream-sample.ts';

type Totals = Pick<StreamSample, 'counters' | 'skipped'>;

/** What counts on from session to session, by stream. */
export class StreamTotals {
  readonly #past = new Map<string, Totals>();

  /** A session has ended with these. */
  add(samples: SamplesByStream): void {
    for (const [id, sample] of samples) {
      this.#past.set(id, addTotals(this.#past.get(id) ?? NO_SAMPLE, sample));
    }
  }

  /** Together with sessions that run. */
  of(streamId: string, running: readonly SamplesByStream[]): Totals {
    const samples = running.map((session) => session.get(streamId) ?? NO_SAMPLE);
    return samples.reduce(addTotals, this.#past.get(streamId) ?? NO_SAMPLE);
  }

  counters(
    streams: readonly string[],
    running: readonly SamplesByStream[],
  ): Readonly<Record<string, StreamCounters>> {
    return Object.fromEntries(streams.map((id) => [id, this.of(id, running).counters]));
  }
}

function addTotals(a: Totals, b: Totals): Totals {
  return { counters: addCounters(a.counters, b.counters), skipped: addUp(a.skipped, b.skipped) };
}
