import type { Sink as SinkView } from '../../api/schemas.ts';
import type { Logger } from '../../common/logger.ts';

const INTERVAL_MS = 1_000;
const HEALTHY = new Set(['ok']);
const FAILING = new Set(['backoff', 'paused', 'invalid']);

export interface SinkWatchOptions {
  readonly read: () => readonly SinkView[];
  readonly emit: (type: string, facts: Readonly<Record<string, string | number>>) => void;
  readonly logger: Logger;
}

interface Seen {
  readonly isFailing: boolean;
  readonly deadLettered: number;
}

/** Looks at the sinks once a second: tells who fails and who recovers, new dead letters, and a count that does not add up. */
export class SinkWatch {
  readonly #options: SinkWatchOptions;
  readonly #timer: NodeJS.Timeout;
  #seen: ReadonlyMap<string, Seen> | undefined;

  constructor(options: SinkWatchOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.look(), INTERVAL_MS);
    this.#timer.unref();
    this.look();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  look(): void {
    const { read } = this.#options;
    const seen = new Map<string, Seen>();
    for (const sink of read()) {
      // What there was at the start is no news; a sink that came since had nothing before.
      const unseen = { isFailing: false, deadLettered: this.#seen ? 0 : sink.deadLettered };
      seen.set(sink.id, this.#compare(sink, this.#seen?.get(sink.id) ?? unseen));
    }
    this.#seen = seen;
  }

  #compare(sink: SinkView, before: Seen): Seen {
    const { emit, logger } = this.#options;
    const { id, deadLettered } = sink;
    const byOperator = sink.pauseReason === 'operator';
    const { isFailing: wasFailing } = before;
    let isFailing = wasFailing;
    if (HEALTHY.has(sink.state)) isFailing = false;
    else if (FAILING.has(sink.state) && !byOperator) isFailing = true;
    if (isFailing && !wasFailing) {
      const { code = 'SL_SINK_UNAVAILABLE', message = '' } = sink.lastError ?? {};
      emit('sink.failing', { sinkId: id, code, message });
    } else if (!isFailing && wasFailing) emit('sink.recovered', { sinkId: id });
    const dead = deadLettered - before.deadLettered;
    if (dead > 0) emit('deadletter.added', { sinkId: id, records: dead });
    const missing = conservationError(sink);
    if (missing !== 0) logger.error({ sink: id, missing }, 'outbox.conservation.broken');
    return { isFailing, deadLettered };
  }
}

/** Records of a sink whose fate is not accounted for: 0 at all times. */
export function conservationError(sink: SinkView): number {
  const { accepted, delivered, filtered, deadLettered, shed, pending } = sink;
  return accepted - delivered - filtered - deadLettered - shed - pending;
}
