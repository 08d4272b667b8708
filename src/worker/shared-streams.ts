import { SightlineError } from '../common/errors.ts';
import type { ElementEvent, IssueEvent, PipelineEvent } from '../gst/events.ts';
import { errorOfIssue } from '../gst/native-error.ts';
import { readsFile, reconnectsItself, sourceStreams } from './graph-facts.ts';
import { DEFAULT_SHARED_POLICY } from './protocol.ts';
import type { RulesOptions, SessionRules } from './session-rules.ts';
import { type SharedStep, SharedStream } from './shared-stream.ts';
import { StreamHealth } from './stream-health.ts';
import { NO_SAMPLE, type SamplesByStream } from './stream-sample.ts';

/** nvurisrcbin resets one source of the process each 3 s: a round of all of them takes this long for each, twice. */
const TWO_ROUNDS_MS = 6_000;
/** After the last file's end the frames behind it have this long to come out where the muxer keeps the end to itself. */
const LAST_FRAMES_MS = 3_000;

export interface SharedStreamsOptions extends RulesOptions {
  /** Streams that were over before this session. */
  readonly over: ReadonlySet<string>;
  /** Streams whose source is left out of this session's graph, with the error that kept it from starting. */
  readonly absent: ReadonlyMap<string, SightlineError>;
  /** How long a stream that cannot come back inside waits for a new start of the graph. */
  readonly rescueMs: number;
}

/**
 * A graph that several streams share: a stream that fails or is silent is said to be so and leaves the others alone; an
 * error of what they share, or silence of all of them, ends the session.
 */
export class SharedStreams implements SessionRules {
  readonly #options: SharedStreamsOptions;
  readonly #streams: ReadonlyMap<string, SharedStream>;
  /** Stream of each node in front of the muxer. */
  readonly #sources: ReadonlyMap<string, string>;
  /** Of the streams that are live, stalled or degraded. */
  readonly #health = new Map<string, StreamHealth>();
  readonly #allSilentMs: number;
  #liveSinceMs: number | undefined;
  #begun = false;
  #draining = false;
  #lastFramesTimer: NodeJS.Timeout | undefined;

  constructor(options: SharedStreamsOptions) {
    const { graph, policy, over, absent, rescueMs } = options;
    const now = performance.now();
    const limits = { ...policy, rescueMs };
    this.#options = options;
    this.#sources = sourceStreams(graph);
    this.#streams = new Map(
      graph.streams
        .filter((id) => !over.has(id))
        .map((id) => {
          const facts = {
            id,
            file: readsFile(graph, id),
            reconnectsItself: reconnectsItself(graph, id),
          };
          return [id, new SharedStream(facts, limits, now, absent.get(id))];
        }),
    );
    const { allSilentMs } = { ...DEFAULT_SHARED_POLICY, ...policy.shared };
    this.#allSilentMs =
      policy.shared?.allSilentMs ?? Math.max(allSilentMs, TWO_ROUNDS_MS * graph.streams.length);
  }

  get live(): boolean {
    return this.#liveSinceMs !== undefined;
  }

  get liveForMs(): number {
    return this.#liveSinceMs === undefined ? 0 : performance.now() - this.#liveSinceMs;
  }

  /** Streams whose source has failed, with the error. */
  get failed(): ReadonlyMap<string, SightlineError> {
    const failed = [...this.#streams].filter(([, stream]) => stream.hasFailed && !stream.over);
    return new Map(failed.map(([id, stream]) => [id, stream.trouble!]));
  }

  /** Why a stream has no pictures; undefined while it has. */
  troubleOf(streamId: string): SightlineError | undefined {
    return this.#streams.get(streamId)?.trouble;
  }

  begin(): void {
    this.#begun = true;
    for (const stream of this.#streams.values()) stream.begin(performance.now());
  }

  onEvent(event: PipelineEvent): void {
    const now = performance.now();
    if (event.type === 'eos') {
      this.#onEos();
      return;
    }
    const stream = 'node' in event ? this.#streamOf(event.node) : undefined;
    if (event.type === 'error' && stream === undefined) {
      // Also of a stream that was over before: its source is still there, and dead already.
      if (this.#sources.has(event.node ?? '')) return;
      const error = errorOfIssue(event, this.#options.graph);
      this.#options.end({ cause: 'failed', error });
    }
    if (stream === undefined) return;
    if (event.type === 'first-buffer') this.#report(stream, stream.firstPicture(now));
    else if (event.type === 'node-eos') this.#onSourceEnd(stream, now);
    else if (event.type === 'warning')
      this.#report(stream, stream.warned(errorOfIssue(event, this.#options.graph), now));
    else if (event.type === 'error') this.#onSourceError(stream, event, now);
    else if (event.type === 'element') this.#onElement(stream, event, now);
  }

  onSample(samples: SamplesByStream): void {
    const now = performance.now();
    for (const [id, stream] of this.#streams) {
      const sample = samples.get(id) ?? NO_SAMPLE;
      this.#report(stream, stream.counted(sample.counters.framesDecoded, now));
      if (this.#begun) this.#report(stream, stream.check(now));
      const health = this.#draining ? undefined : this.#health.get(id);
      const change = health?.take(sample, now);
      if (change !== undefined) this.#options.onChange({ streamId: id, ...change });
    }
    if (this.#begun && !this.#draining) this.#judge(now);
  }

  onSet(): void {
    for (const health of this.#health.values()) health.changed();
  }

  drain(): void {
    this.#draining = true;
  }

  close(): void {
    clearTimeout(this.#lastFramesTimer);
  }

  /** Whether the graph must be started anew. */
  #judge(now: number): void {
    const waiting = [...this.#streams.values()].filter(({ over }) => !over);
    for (const stream of waiting) {
      if (!stream.needsRescue(now)) continue;
      const { id } = stream.facts;
      this.#options.end({ cause: 'failed', error: stream.trouble!, forSakeOf: id });
      return;
    }
    if (this.#endOverdue(now)) return;
    const silentMs = Math.min(...waiting.map((stream) => stream.silentForMs(now)));
    if (waiting.length === 0 || silentMs <= this.#allSilentMs) return;
    const message = `No picture came from any of ${waiting.length} streams for ${Math.round(silentMs)} ms`;
    this.#options.end({
      cause: 'failed',
      error: new SightlineError('SL_SOURCE_STALLED', message),
    });
  }

  /** What is behind the muxer is the same for all: when one's frames do not come out of it, it is ended for all. */
  #endOverdue(now: number): boolean {
    for (const health of this.#health.values()) {
      const overdue = health.overdue(now);
      if (overdue === undefined || !['infer', 'publish'].includes(overdue.stall.layer)) continue;
      const { code, message, stall } = overdue;
      const { layer, observed } = stall;
      const error = new SightlineError(code, message);
      this.#options.end({ cause: 'failed', error, layer, observed });
      return true;
    }
    return false;
  }

  #streamOf(nodeId: string | null): SharedStream | undefined {
    return this.#streams.get(this.#sources.get(nodeId ?? '') ?? '');
  }

  /** An element in front of one that failed says that nobody takes its data: the first error says why. */
  #onSourceError(stream: SharedStream, event: IssueEvent, now: number): void {
    const isConsequence = event.details?.fields['flow-return'] !== undefined;
    if (isConsequence && stream.hasFailed) return;
    this.#report(stream, stream.failed(errorOfIssue(event, this.#options.graph), now));
  }

  #onSourceEnd(stream: SharedStream, now: number): void {
    if (this.#draining) return;
    this.#report(stream, stream.ended(now));
  }

  /** nvurisrcbin says that it has made the tries it was allowed. */
  #onElement(stream: SharedStream, { structure }: ElementEvent, now: number): void {
    if (structure?.name !== 'reconnect-attempt-exceeded') return;
    const said = stream.trouble?.message ?? 'no picture came';
    const message = `The source has given up after its last try to connect (rtsp-reconnect-attempts): ${said}`;
    const code = stream.trouble?.code ?? 'SL_SOURCE_UNREACHABLE';
    this.#report(stream, stream.failed(new SightlineError(code, message), now));
  }

  #onEos(): void {
    const left = [...this.#streams.values()].filter(({ over, facts }) => !over && !facts.file);
    if (this.#draining || left.length === 0) {
      this.#options.end({ cause: 'ended' });
      return;
    }
    const message = 'The pipeline ended although it has live sources';
    this.#options.end({ cause: 'failed', error: new SightlineError('SL_SOURCE_ENDED', message) });
  }

  #report(stream: SharedStream, steps: readonly SharedStep[]): void {
    for (const step of steps) {
      const { id, file } = stream.facts;
      if (step.phase === 'live') {
        this.#liveSinceMs ??= performance.now();
        this.#health.set(id, new StreamHealth(this.#options.policy, file, performance.now()));
      } else {
        this.#health.delete(id);
      }
      this.#options.onChange({ streamId: id, ...step });
    }
    if (steps.length === 0 || ![...this.#streams.values()].every(({ over }) => over)) return;
    // A muxer told to survive the end of its sources does not hand it on.
    this.#lastFramesTimer ??= setTimeout(
      () => this.#options.end({ cause: 'ended' }),
      LAST_FRAMES_MS,
    );
  }
}
