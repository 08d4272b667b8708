import { type ErrorCode, SightlineError } from '../common/errors.ts';
import type { IssueEvent, PipelineEvent } from '../gst/events.ts';
import { errorOfIssue, mayBeExplained } from '../gst/native-error.ts';
import { awaitsFrames, readsFile } from './graph-facts.ts';
import type { RulesOptions, SessionRules } from './session-rules.ts';
import { StreamHealth } from './stream-health.ts';
import { NO_SAMPLE, type SamplesByStream } from './stream-sample.ts';

/** An error that explains the one before follows within this. */
const EXPLANATION_MS = 100;

/** A graph with one stream: what happens to the stream ends the session, and the next one connects it again. */
export class SoleStream implements SessionRules {
  readonly #options: RulesOptions;
  readonly #streamId: string;
  readonly #file: boolean;
  /** Nobody owes it a picture. */
  readonly #patient: boolean;
  #liveSinceMs: number | undefined;
  #health: StreamHealth | undefined;
  #draining = false;
  #firstFrameTimer: NodeJS.Timeout | undefined;
  #explanationTimer: NodeJS.Timeout | undefined;

  constructor(options: RulesOptions) {
    this.#options = options;
    this.#streamId = options.graph.streams[0] ?? options.graph.id;
    this.#file = readsFile(options.graph, this.#streamId);
    this.#patient = awaitsFrames(options.graph, this.#streamId);
  }

  get live(): boolean {
    return this.#liveSinceMs !== undefined;
  }

  get liveForMs(): number {
    return this.#liveSinceMs === undefined ? 0 : performance.now() - this.#liveSinceMs;
  }

  begin(): void {
    const { firstFrameTimeoutMs } = this.#options.policy;
    if (this.live || this.#patient) return;
    this.#firstFrameTimer ??= setTimeout(
      () => this.#fail('SL_SOURCE_STALLED', `No picture came within ${firstFrameTimeoutMs} ms`),
      firstFrameTimeoutMs,
    );
  }

  onEvent(event: PipelineEvent): void {
    if (event.type === 'first-buffer') this.#onFirstFrame();
    else if (event.type === 'error') this.#onError(event);
    else if (event.type === 'eos') this.#onEos();
  }

  onSample(samples: SamplesByStream): void {
    if (this.#health === undefined || this.#draining) return;
    const now = performance.now();
    const change = this.#health.take(samples.get(this.#streamId) ?? NO_SAMPLE, now);
    if (change !== undefined) this.#options.onChange({ streamId: this.#streamId, ...change });
    const overdue = this.#health.overdue(now);
    if (overdue === undefined) return;
    const { code, message, stall } = overdue;
    const { layer, observed } = stall;
    const error = new SightlineError(code, message);
    this.#options.end({ cause: 'failed', error, layer, observed });
  }

  onSet(): void {
    this.#health?.changed();
  }

  drain(): void {
    this.#draining = true;
  }

  close(): void {
    clearTimeout(this.#firstFrameTimer);
    clearTimeout(this.#explanationTimer);
  }

  #onError(event: IssueEvent): void {
    const end = { cause: 'failed', error: errorOfIssue(event, this.#options.graph) } as const;
    if (!mayBeExplained(event)) this.#options.end(end);
    else this.#explanationTimer ??= setTimeout(() => this.#options.end(end), EXPLANATION_MS);
  }

  #onFirstFrame(): void {
    if (this.live) return;
    clearTimeout(this.#firstFrameTimer);
    this.#liveSinceMs = performance.now();
    if (!this.#patient) {
      this.#health = new StreamHealth(this.#options.policy, this.#file, this.#liveSinceMs);
    }
    this.#options.onChange({ streamId: this.#streamId, phase: 'live' });
  }

  #onEos(): void {
    if (this.#draining) this.#options.end({ cause: 'ended' });
    else if (!this.#file) this.#fail('SL_SOURCE_ENDED', 'The source ended the stream');
    else if (this.live) this.#options.end({ cause: 'ended' });
    else this.#fail('SL_SOURCE_NOT_VIDEO', 'The file ended without a single picture');
  }

  #fail(code: ErrorCode, message: string): void {
    this.#options.end({ cause: 'failed', error: new SightlineError(code, message) });
  }
}
