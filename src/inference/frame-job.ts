import type { Delivery } from './frame-queue.ts';
import type { QueuedFrame } from './queued-frame.ts';

/** What has become of a frame. */
export type Outcome =
  /** All models' results are durable. */
  | { readonly kind: 'done' }
  /** Not now: it may come again after `delayMs`. */
  | { readonly kind: 'later'; readonly delayMs: number }
  /** Never: `reason` says why. */
  | { readonly kind: 'poison'; readonly reason: string };

/** One frame and the models that still have to look at it. */
export class FrameJob {
  readonly frame: QueuedFrame;
  /** When it was queued, or taken where the queue does not say: monotonic, ms. */
  readonly queuedMs: number;
  readonly #deliveries: Delivery[];
  readonly #open: Set<string>;
  readonly #several: boolean;
  #outcome: Outcome | undefined;
  readonly #onOutcome: (job: FrameJob, outcome: Outcome) => void;

  constructor(
    frame: QueuedFrame,
    models: readonly string[],
    delivery: Delivery,
    onOutcome: (job: FrameJob, outcome: Outcome) => void,
  ) {
    this.frame = frame;
    this.queuedMs = performance.now() - (delivery.ageMs ?? 0);
    this.#deliveries = [delivery];
    this.#open = new Set(models);
    this.#several = models.length > 1;
    this.#onOutcome = onOutcome;
  }

  get bytes(): number {
    return this.frame.bytes.byteLength;
  }

  /** Every receipt of its message: it may have come again while it was worked on. */
  get deliveries(): readonly Delivery[] {
    return this.#deliveries;
  }

  /** Its fate is known: what a model still finds is of no use. */
  get isOver(): boolean {
    return this.#outcome !== undefined;
  }

  /** Stands behind its record id: results of several models of one frame are several records. */
  suffixFor(model: string): string {
    return this.#several ? `/${model}` : '';
  }

  recordIdFor(model: string): string {
    return this.frame.frameId + this.suffixFor(model);
  }

  /** The same message once more. */
  join(delivery: Delivery): void {
    this.#deliveries.push(delivery);
  }

  /** The result of one model is durable. */
  done(model: string): void {
    this.#open.delete(model);
    if (this.#open.size === 0) this.end({ kind: 'done' });
  }

  /** The first outcome counts. */
  end(outcome: Outcome): void {
    if (this.#outcome !== undefined) return;
    this.#outcome = outcome;
    this.#onOutcome(this, outcome);
  }
}
