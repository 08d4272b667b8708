import { toSightlineError } from '../../common/errors.ts';
import type { Logger } from '../../common/logger.ts';
import type { SegmentEvent } from '../../common/segments.ts';
import type { FallbackEvent, StatsEvent, StreamEvent, WorkerEvent } from '../../worker/protocol.ts';
import type { LaneHost } from './lane-host.ts';

type FrozenEvent = Extract<WorkerEvent, { event: 'frozen' }>;

export interface ReportReaders {
  readonly logger: Logger;
  readonly onStream: (event: StreamEvent) => void;
  readonly onStats: (event: StatsEvent) => void;
  readonly onFrozen: (event: FrozenEvent) => void;
  readonly onFallback: (event: FallbackEvent) => void;
}

/** Takes what a lane's worker says to those whom it concerns. */
export class WorkerReports {
  readonly #host: LaneHost;
  readonly #readers: ReportReaders;

  constructor(host: LaneHost, readers: ReportReaders) {
    this.#host = host;
    this.#readers = readers;
  }

  take(event: WorkerEvent): void {
    const { logger, onStream, onStats, onFrozen, onFallback } = this.#readers;
    if (event.event === 'stream') onStream(event);
    else if (event.event === 'stats') onStats(event);
    else if (event.event === 'log') this.#log(event);
    else if (event.event === 'frozen') onFrozen(event);
    else if (event.event === 'fallback') onFallback(event);
    else if (event.event.startsWith('segment-')) this.#segment(event as SegmentEvent);
    else logger.warn({ event: event.event }, 'worker.event_unknown');
  }

  #segment(event: SegmentEvent): void {
    try {
      this.#host.context.onSegment?.(event);
    } catch (error) {
      // The files are there all the same.
      const { message } = toSightlineError(error);
      const { streamId, path } = event;
      this.#readers.logger.error({ streamId, path, message }, 'segment.refused');
    }
  }

  #log(event: Extract<WorkerEvent, { event: 'log' }>): void {
    const { scrubber } = this.#host;
    const level = ['debug', 'info', 'warn', 'error'].includes(event.level) ? event.level : 'warn';
    const fields = scrubber.json(event.fields) as Record<string, unknown>;
    this.#readers.logger[level](fields, scrubber.text(event.msg));
  }
}
