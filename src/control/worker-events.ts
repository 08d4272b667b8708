import type { Logger } from '../common/logger.ts';
import type { LogEvent, StatsEvent, StreamEvent, WorkerEvent } from '../worker/protocol.ts';
import type { Scrubber } from './scrubber.ts';
import type { Evidence } from './stream-state.ts';
import type { SupervisedStream } from './supervised-stream.ts';
import type { StreamState } from './types.ts';
import { knownCode } from './worker-line.ts';

/** What a worker's phase means for its stream. */
const STATE_OF_PHASE: Readonly<Record<StreamEvent['phase'], StreamState>> = {
  connecting: 'connecting',
  live: 'live',
  degraded: 'degraded',
  stalled: 'stalled',
  backoff: 'backoff',
  ended: 'stopped',
  failed: 'rejected',
  stopped: 'stopped',
};

/** Applies what a worker reports to the streams of its pipeline. Texts lose their secrets here. */
export class WorkerEvents {
  readonly #streams: ReadonlyMap<string, SupervisedStream>;
  readonly #scrubber: Scrubber;
  readonly #logger: Logger;
  /** Memory of the worker as of its last report. */
  rssBytes: number | undefined;

  constructor(streams: ReadonlyMap<string, SupervisedStream>, scrubber: Scrubber, logger: Logger) {
    this.#streams = streams;
    this.#scrubber = scrubber;
    this.#logger = logger;
  }

  apply(event: WorkerEvent): void {
    if (event.event === 'stream') this.#phase(event);
    else if (event.event === 'stats') this.#stats(event);
    else if (event.event === 'log') this.#log(event);
    else this.#logger.warn({ event: event.event }, 'worker.event_unknown');
  }

  #phase(event: StreamEvent): void {
    const to: StreamState | undefined = STATE_OF_PHASE[event.phase];
    const stream = this.#streams.get(event.streamId);
    if (to === undefined || !stream?.enter(to, this.#evidence(event))) {
      const { streamId, phase } = event;
      this.#logger.warn({ stream: streamId, phase, state: stream?.state }, 'worker.step_refused');
    }
  }

  #evidence(event: StreamEvent): Evidence {
    const { session, retryInMs, code, message = '' } = event;
    return {
      ...(session === undefined ? {} : { session }),
      ...(retryInMs === undefined ? {} : { retryInMs }),
      ...(code === undefined
        ? {}
        : { reason: { code: knownCode(code), message: this.#scrubber.text(message) } }),
    };
  }

  #stats(event: StatsEvent): void {
    this.rssBytes = event.rssBytes;
    for (const [id, counters] of Object.entries(event.streams)) {
      this.#streams.get(id)?.takeStats(counters, event.monotonicMs);
    }
  }

  #log(event: LogEvent): void {
    const level = ['debug', 'info', 'warn', 'error'].includes(event.level) ? event.level : 'warn';
    this.#logger[level](
      this.#scrubber.json(event.fields) as Record<string, unknown>,
      this.#scrubber.text(event.msg),
    );
  }
}
