import type { EventFacts } from './event-log.ts';
import type { AcceleratorStatus, PlannedAccelerator } from './types.ts';

/** What a stream was compiled for and, once there are frames, what they say ran the model. */
export class StreamAccelerator {
  readonly #planned: PlannedAccelerator;
  #seen: string | undefined;
  /** Why the worker does otherwise than planned. */
  #reason: string | undefined;

  constructor(planned: PlannedAccelerator) {
    this.#planned = planned;
  }

  /** Takes what a frame says (undefined: nothing); true when that is news. */
  saw(provider: string | undefined): boolean {
    if (provider === undefined) return false;
    const before = this.#seen ?? this.#planned.executionProvider;
    this.#seen = provider;
    if (provider === this.#planned.executionProvider) this.#reason = undefined;
    return provider !== before;
  }

  /** Takes what the worker says; true when that is news. */
  fellBack(reason: string): boolean {
    const news = reason !== this.#reason;
    this.#reason = reason;
    return news;
  }

  status(): AcceleratorStatus {
    const { policy, backend, executionProvider: planned } = this.#planned;
    const fallbackReason = this.#reason ?? this.#planned.fallbackReason;
    const executionProvider = this.#seen ?? planned;
    return {
      policy,
      backend,
      executionProvider,
      degraded: policy !== 'cpu' && executionProvider === 'CPUExecutionProvider',
      ...(fallbackReason === undefined ? {} : { fallbackReason }),
    };
  }

  /** For an event; with a code, which makes it a warning, where the GPU was wanted and is not used. */
  facts(): EventFacts {
    const { degraded, ...status } = this.status();
    return degraded ? { ...status, code: 'SL_GPU_UNAVAILABLE' } : { ...status };
  }
}
