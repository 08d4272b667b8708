import type { Logger } from '../../common/logger.ts';
import type { FallbackEvent, StatsEvent, StreamEvent, StreamWait } from '../../worker/protocol.ts';
import type { Scrubber } from '../scrubber.ts';
import type { Evidence } from '../stream-state.ts';
import type { SupervisedStream } from '../supervised-stream.ts';
import type { Reason, StreamState } from '../types.ts';
import { knownCode } from '../worker-line.ts';
import { REFUSALS } from './settings.ts';

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
const OVER_PHASES: ReadonlySet<string> = new Set(['ended', 'failed']);

const LIVE_PHASES: ReadonlySet<string> = new Set(['live', 'degraded']);

export interface LaneStreamsOptions {
  /** All streams of the pipeline. */
  readonly streams: ReadonlyMap<string, SupervisedStream>;
  readonly scrubber: Scrubber;
  readonly logger: Logger;
}

/**
 * The streams of one lane: those it runs, those of them that are over in it, and those it speaks for. While a fresh
 * worker takes over, two lanes run a stream and one speaks for it; the other's word is kept until it does.
 */
export class LaneStreams {
  readonly #options: LaneStreamsOptions;
  readonly #ids: Set<string>;
  readonly #over = new Set<string>();
  readonly #owned = new Set<string>();
  /** Tries that failed since its last picture in this lane, and why the last did. */
  readonly #failures = new Map<string, { readonly count: number; readonly reason: Reason }>();
  /** The worker's last word on each. */
  readonly #said = new Map<string, StreamEvent>();

  constructor(ids: Iterable<string>, options: LaneStreamsOptions) {
    this.#options = options;
    this.#ids = new Set(ids);
  }

  get ids(): readonly string[] {
    return [...this.#ids];
  }

  /** Not over in this lane. */
  get running(): readonly string[] {
    return this.ids.filter((id) => !this.#over.has(id));
  }

  get over(): readonly string[] {
    return this.ids.filter((id) => this.#over.has(id));
  }

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  owns(id: string): boolean {
    return this.#owned.has(id);
  }

  /** Whether the worker's last word on it is that it has pictures. */
  isLive(id: string): boolean {
    return LIVE_PHASES.has(this.#said.get(id)?.phase ?? '');
  }

  /** Tries that failed since it last had a picture here, and why the last one did. */
  failuresOf(id: string): { readonly count: number; readonly reason: Reason } | undefined {
    return this.#failures.get(id);
  }

  /** Runs it too, from its beginning. */
  add(id: string): void {
    this.#ids.add(id);
    this.#over.delete(id);
    this.#said.delete(id);
  }

  remove(id: string): void {
    this.#ids.delete(id);
    this.#over.delete(id);
    this.#owned.delete(id);
    this.#failures.delete(id);
    this.#said.delete(id);
  }

  markOver(id: string): void {
    this.#over.add(id);
  }

  /** Speaks for it from now on; what the worker said last of it is told. */
  own(id: string): void {
    this.#owned.add(id);
    const said = this.#said.get(id);
    if (said !== undefined) this.#tell(said);
  }

  /** A frame of this session came before the worker's word that it is live. */
  noteSession(id: string, session: string): void {
    if (this.isLive(id)) return;
    this.#said.set(id, { event: 'stream', streamId: id, phase: 'live', session });
  }

  disown(id: string): void {
    this.#owned.delete(id);
  }

  /** The step is taken by every stream that runs here and that this lane speaks for. */
  enter(to: StreamState, evidence: Evidence = {}, ids: readonly string[] = this.running): void {
    for (const stream of this.owned(ids)) stream.enter(to, evidence);
  }

  owned(ids: readonly string[] = this.running): readonly SupervisedStream[] {
    return ids
      .filter((id) => this.#owned.has(id))
      .flatMap((id) => this.#options.streams.get(id) ?? []);
  }

  /** Streams that are not to be tried yet. */
  get waits(): Readonly<Record<string, StreamWait>> {
    return Object.fromEntries(
      this.running.flatMap((id) => {
        const wait = this.#options.streams.get(id)?.refusal.wait;
        return wait === undefined ? [] : [[id, wait] as const];
      }),
    );
  }

  /** The process is gone: its word means nothing any more. */
  workerGone(worker: object): void {
    this.#said.clear();
    for (const id of this.#ids) this.#options.streams.get(id)?.counts.workerGone(worker);
  }

  phase(event: StreamEvent): void {
    const { streamId, phase } = event;
    if (!this.#ids.has(streamId)) {
      this.#options.logger.debug({ stream: streamId, phase }, 'worker.stream_unknown');
      return;
    }
    this.#said.set(streamId, event);
    this.#options.streams.get(streamId)?.refusal.note(event);
    if (phase === 'backoff') {
      const count = (this.#failures.get(streamId)?.count ?? 0) + 1;
      this.#failures.set(streamId, { count, reason: this.#reasonOf(event) });
    }
    if (LIVE_PHASES.has(phase)) this.#failures.delete(streamId);
    if (OVER_PHASES.has(phase)) this.#over.add(streamId);
    // A camera that was given up and has pictures after all.
    if (phase === 'live') this.#over.delete(streamId);
    if (this.#owned.has(streamId)) this.#tell(event);
  }

  fellBack({ streamId, message }: FallbackEvent): void {
    if (!this.#ids.has(streamId)) return;
    this.#options.streams.get(streamId)?.fellBack(this.#options.scrubber.text(message));
  }

  stats(event: StatsEvent, worker: object): void {
    for (const [id, counters] of Object.entries(event.streams)) {
      if (!this.#ids.has(id)) continue;
      const facts = event.facts?.[id];
      this.#options.streams
        .get(id)
        ?.takeStats(worker, { counters, facts, atMs: event.monotonicMs }, this.#owned.has(id));
    }
  }

  #tell(event: StreamEvent): void {
    const to = this.#stateOf(event);
    const stream = this.#options.streams.get(event.streamId);
    // Its first frame was faster than this word.
    if (to === 'live' && stream?.state === 'live' && stream.session === event.session) return;
    if (to === undefined || !stream?.enter(to, this.#evidence(event))) {
      const { streamId, phase } = event;
      const facts = { stream: streamId, phase, state: stream?.state };
      this.#options.logger.warn(facts, 'worker.step_refused');
    }
  }

  #stateOf({ phase, code }: StreamEvent): StreamState | undefined {
    const refused = phase === 'backoff' && code !== undefined && REFUSALS.has(knownCode(code));
    return refused ? 'rejected' : STATE_OF_PHASE[phase];
  }

  #reasonOf({ code, message = '' }: StreamEvent): Reason {
    return { code: knownCode(code), message: this.#options.scrubber.text(message) };
  }

  #evidence(event: StreamEvent): Evidence {
    const { session, retryInMs, code, layer, observed } = event;
    const reason = this.#reasonOf(event);
    return {
      ...(session === undefined ? {} : { session }),
      ...(retryInMs === undefined ? {} : { retryInMs }),
      ...(code === undefined ? {} : { reason }),
      ...(layer === undefined ? {} : { layer }),
      ...(observed === undefined ? {} : { observed }),
    };
  }
}
