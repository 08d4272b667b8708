import type { ErrorCode } from '../common/errors.ts';
import type { StalledLayer, StreamPolicy } from './protocol.ts';
import { type RateTrouble, RateWatch } from './rate-watch.ts';
import type { StreamChange } from './session-rules.ts';
import { type Stall, StallWatch } from './stall-watch.ts';
import type { StreamSample } from './stream-sample.ts';

const STALLED_AFTER_MS = 2_000;
const DEGRADED_AFTER_MS = 10_000;

const SAYS: Readonly<Record<StalledLayer, string>> = {
  network: 'No picture came',
  decode: 'Data came, but the decoder gave no picture',
  infer: 'Pictures came, but the detector gave no result',
  publish: 'Frames were inferred, but none left the pipeline',
  record: 'Data came to be recorded, but nothing was written',
};

const CODES: Readonly<Record<StalledLayer, ErrorCode>> = {
  network: 'SL_SOURCE_STALLED',
  // Most often what the camera sends: the decoder waits for something that it can read.
  decode: 'SL_SOURCE_BROKEN',
  infer: 'SL_PIPELINE_FAILED',
  publish: 'SL_PIPELINE_FAILED',
  record: 'SL_PIPELINE_FAILED',
};

export type HealthChange = Omit<StreamChange, 'streamId'>;

/** How long a stream may be silent before its session is ended, and why it is. */
export interface Overdue {
  readonly code: ErrorCode;
  readonly message: string;
  readonly stall: Stall;
}

/** A recorder that cannot write tries again by itself. */
function unrecorded({ recording }: StreamSample): RateTrouble | undefined {
  if (recording === undefined || recording.failure === '') return undefined;
  return {
    message: `Nothing is recorded: ${recording.failure}`,
    observed: { bytes: recording.bytes },
  };
}

/** A stream that has had its first picture in this session: live, stalled or degraded. Told the time (monotonic, ms). */
export class StreamHealth {
  readonly #policy: StreamPolicy;
  readonly #stalls: StallWatch;
  /** None for a file, which has no rate of its own. */
  readonly #rates: RateWatch | undefined;
  #phase: 'live' | 'stalled' | 'degraded' = 'live';

  constructor(policy: StreamPolicy, file: boolean, nowMs: number) {
    const { firstFrameTimeoutMs, stallTimeoutMs } = policy;
    const stalledAfterMs = Math.min(policy.stalledAfterMs ?? STALLED_AFTER_MS, stallTimeoutMs);
    this.#policy = policy;
    this.#stalls = new StallWatch({ stalledAfterMs, firstFrameTimeoutMs }, nowMs);
    this.#rates = file ? undefined : new RateWatch(policy.degradedAfterMs ?? DEGRADED_AFTER_MS);
  }

  /** Takes new counters; the phase that follows from them, when it is another one. */
  take(sample: StreamSample, nowMs: number): HealthChange | undefined {
    this.#stalls.take(sample, nowMs);
    const stall = this.#stalls.stall(nowMs);
    if (stall !== undefined) return this.#stalled(stall);
    this.#rates?.take(sample, nowMs);
    const trouble = unrecorded(sample) ?? this.#rates?.trouble;
    if (trouble === undefined) return this.#enter({ phase: 'live' });
    return this.#enter({ phase: 'degraded', code: 'SL_STREAM_DEGRADED', ...trouble });
  }

  /** Set while no picture has come, or left, for longer than the policy bears. */
  overdue(nowMs: number): Overdue | undefined {
    const stall = this.#stalls.stall(nowMs);
    if (stall === undefined || stall.silentMs <= this.#policy.stallTimeoutMs) return undefined;
    const { layer, silentMs } = stall;
    return { code: CODES[layer], message: `${SAYS[layer]} for ${silentMs} ms`, stall };
  }

  /** Properties of the graph were changed: what was usual until now need not be. */
  changed(): void {
    this.#rates?.forget();
  }

  #stalled(stall: Stall): HealthChange | undefined {
    const { layer, silentMs, observed } = stall;
    this.#rates?.restart();
    if (this.#phase === 'stalled') return undefined;
    this.#phase = 'stalled';
    const message = `${SAYS[layer]} for ${silentMs} ms`;
    return { phase: 'stalled', code: CODES[layer], message, layer, observed };
  }

  #enter(change: HealthChange & { readonly phase: 'live' | 'degraded' }): HealthChange | undefined {
    if (this.#phase === change.phase) return undefined;
    this.#phase = change.phase;
    return change;
  }
}
