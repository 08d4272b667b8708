import { type ErrorCode, SightlineError } from '../common/errors.ts';

/** The only end of a file that is no fault. */
export const END_OF_FILE = {
  code: 'SL_SOURCE_ENDED',
  message: 'The file was read to its end',
} as const;

export interface SharedStreamFacts {
  readonly id: string;
  /** Its source is a file. */
  readonly file: boolean;
  /** Its source connects again inside the running pipeline. */
  readonly reconnectsItself: boolean;
}

export interface SharedStreamLimits {
  readonly firstFrameTimeoutMs: number;
  readonly stallTimeoutMs: number;
  /** After this the graph is started anew for a stream that cannot come back inside. */
  readonly rescueMs: number;
}

/** A step of the stream: what to report. */
export type SharedStep =
  | { readonly phase: 'connecting' | 'live' }
  | { readonly phase: 'ended'; readonly code: string; readonly message: string }
  | {
      readonly phase: 'backoff' | 'failed';
      readonly code: ErrorCode;
      readonly message: string;
      readonly retryInMs?: number;
    };

type Phase = 'connecting' | 'live' | 'backoff' | 'failed' | 'ended';

/**
 * One stream of a running graph that it shares with others. Knows nothing of GStreamer and has no timer: it is told what
 * happened, with the time (monotonic, ms), and answers with the steps to report.
 */
export class SharedStream {
  readonly facts: SharedStreamFacts;
  readonly #limits: SharedStreamLimits;
  #phase: Phase = 'connecting';
  #decoded = 0;
  /** Of the newest picture, or since when the first is awaited. */
  #progressAtMs: number;
  #liveSinceMs: number | undefined;
  /** What its source said since the newest picture. */
  #complaint: SightlineError | undefined;
  #reported: ErrorCode | undefined;
  #rescueAtMs: number | undefined;
  #failed = false;
  /** The next count still holds pictures from before the failure. */
  #stale = false;

  /** `absentBecause`: its source was left out of the graph, which could not start with it. */
  constructor(
    facts: SharedStreamFacts,
    limits: SharedStreamLimits,
    nowMs: number,
    absentBecause?: SightlineError,
  ) {
    this.facts = facts;
    this.#limits = limits;
    this.#progressAtMs = nowMs;
    if (absentBecause !== undefined) this.failed(absentBecause, nowMs);
  }

  get live(): boolean {
    return this.#phase === 'live';
  }
  get over(): boolean {
    return this.#phase === 'failed' || this.#phase === 'ended';
  }
  /** Its source has failed since the newest picture. */
  get hasFailed(): boolean {
    return this.#failed;
  }
  silentForMs(nowMs: number): number {
    return nowMs - this.#progressAtMs;
  }
  /** Why it has no pictures; undefined while it has. */
  get trouble(): SightlineError | undefined {
    if (this.#phase !== 'backoff') return undefined;
    return (
      this.#complaint ?? new SightlineError('SL_SOURCE_STALLED', 'No picture came for too long')
    );
  }

  /** The wait for the first picture begins now. */
  begin(nowMs: number): void {
    if (this.#phase === 'connecting') this.#progressAtMs = nowMs;
  }

  /** The first picture came. */
  firstPicture(nowMs: number): readonly SharedStep[] {
    return this.#phase === 'connecting' ? this.#progress(nowMs) : [];
  }

  /** So many pictures came so far. */
  counted(decoded: number, nowMs: number): readonly SharedStep[] {
    const more = decoded > this.#decoded && !this.#stale;
    this.#decoded = decoded;
    this.#stale = false;
    return more && this.#phase !== 'ended' ? this.#progress(nowMs) : [];
  }

  #progress(nowMs: number): readonly SharedStep[] {
    this.#progressAtMs = nowMs;
    this.#complaint = undefined;
    this.#reported = undefined;
    this.#rescueAtMs = undefined;
    this.#failed = false;
    if (this.#phase === 'live') return [];
    const again = this.#phase !== 'connecting';
    this.#phase = 'live';
    this.#liveSinceMs ??= nowMs;
    return again ? [{ phase: 'connecting' }, { phase: 'live' }] : [{ phase: 'live' }];
  }

  /** Looks at the time. */
  check(nowMs: number): readonly SharedStep[] {
    const { firstFrameTimeoutMs, stallTimeoutMs } = this.#limits;
    const silentMs = this.silentForMs(nowMs);
    const limitMs = this.#phase === 'connecting' ? firstFrameTimeoutMs : stallTimeoutMs;
    if (this.over || this.#phase === 'backoff' || silentMs <= limitMs) return [];
    const since = this.#phase === 'connecting' ? 'within' : 'for';
    return this.#backOff(`No picture came ${since} ${Math.round(silentMs)} ms`, nowMs);
  }

  /** Its source warned: what it tries by itself does not work, or not yet. */
  warned(warning: SightlineError, nowMs: number): readonly SharedStep[] {
    if (this.over || this.#failed) return [];
    // A general word after a precise one is not worth more.
    if (this.#complaint === undefined || namesCause(warning)) this.#complaint = warning;
    if (this.#phase !== 'backoff' || this.#codeOfTrouble() === this.#reported) return [];
    return this.#backOff('No picture comes', nowMs);
  }

  /** Its source has failed: what it was doing it does no longer. */
  failed(error: SightlineError, nowMs: number): readonly SharedStep[] {
    if (this.over) return [];
    this.#complaint = error;
    this.#failed = true;
    this.#stale = true;
    const { code, message } = error;
    if (!error.retryable) {
      this.#phase = 'failed';
      return [{ phase: 'failed', code, message }];
    }
    const known = this.#phase === 'backoff' && this.#reported === code;
    this.#phase = 'backoff';
    this.#reported = code;
    this.#rescueAtMs ??= nowMs + this.#limits.rescueMs;
    return known
      ? []
      : [{ phase: 'backoff', code, message, retryInMs: Math.round(this.#rescueAtMs - nowMs) }];
  }

  /** An end-of-stream came out of its source. After a failure that is its consequence. */
  ended(nowMs: number): readonly SharedStep[] {
    if (this.over || this.#failed) return [];
    if (!this.facts.file) {
      return this.failed(
        new SightlineError('SL_SOURCE_ENDED', 'The source ended the stream'),
        nowMs,
      );
    }
    if (this.#liveSinceMs === undefined) {
      const message = 'The file ended without a single picture';
      return this.failed(new SightlineError('SL_SOURCE_NOT_VIDEO', message), nowMs);
    }
    this.#phase = 'ended';
    return [{ phase: 'ended', ...END_OF_FILE }];
  }

  /** It cannot come back inside of the running graph and has waited long enough. */
  needsRescue(nowMs: number): boolean {
    return this.#phase === 'backoff' && nowMs >= (this.#rescueAtMs ?? Number.POSITIVE_INFINITY);
  }

  #backOff(what: string, nowMs: number): readonly SharedStep[] {
    const code = this.#codeOfTrouble();
    this.#phase = 'backoff';
    this.#reported = code;
    const said = this.#complaint === undefined ? '' : `: ${this.#complaint.message}`;
    if (this.facts.reconnectsItself) {
      const message = `${what}; the source is connected again inside the running pipeline${said}`;
      return [{ phase: 'backoff', code, message }];
    }
    this.#rescueAtMs ??= nowMs + this.#limits.rescueMs;
    const retryInMs = Math.round(this.#rescueAtMs - nowMs);
    const message = `${what}; the pipeline of all its streams is started anew when it stays so${said}`;
    return [{ phase: 'backoff', code, message, retryInMs }];
  }

  /** A complaint that names the cause goes before "stalled"; one that only says that nothing came does not. */
  #codeOfTrouble(): ErrorCode {
    const complaint = this.#complaint;
    return complaint !== undefined && namesCause(complaint) ? complaint.code : 'SL_SOURCE_STALLED';
  }
}

function namesCause({ code }: SightlineError): boolean {
  return code.startsWith('SL_SOURCE_') && code !== 'SL_SOURCE_BROKEN';
}
