import type { Sink } from '../common/delivery.ts';
import type { Logger } from '../common/logger.ts';
import type { BackoffOptions } from '../common/retry.ts';
import type { CircuitState } from './circuit.ts';
import type { AttemptReport, DeliveryFigures, LastError } from './delivery-meters.ts';
import type { Outbox } from './outbox.ts';
import type { SinkCounts } from './stats.ts';

export interface DeliveryOptions {
  readonly outbox: Outbox;
  /** Its id must be one of the outbox' sinks. Closed by `close`. */
  readonly sink: Sink;
  readonly logger?: Logger;
  /** Limit of one attempt. Default 60000. */
  readonly attemptTimeoutMs?: number;
  /** Waits after failures. Default 500 ms doubling up to 60 s, full jitter. */
  readonly backoff?: BackoffOptions;
  /** Wait between attempts while the sink refuses the credentials. Default 60000. */
  readonly authProbeMs?: number;
  /** Begin paused. Default false. */
  readonly paused?: boolean;
  readonly onAttempt?: (report: AttemptReport) => void;
}

export interface DeliveryStats extends SinkCounts, DeliveryFigures {
  readonly type: string;
  /** `paused`: nothing is sent and nothing given up; `pauseReason` says why. */
  readonly state: 'ok' | 'backoff' | 'paused' | 'closed';
  /** `credentials`: the sink refuses them and is asked slowly; `operator`: until `resume`. */
  readonly pauseReason?: 'operator' | 'credentials';
  readonly circuit: CircuitState;
  /** When the next attempt is due, ms from now; 0 when none is put off. */
  readonly nextAttemptInMs: number;
  readonly lastError?: LastError;
  /** Of a sink with a backup: objects that this took in its place, since the start. */
  readonly backupObjects?: number;
}
