import type { StreamFacts } from '../worker/protocol.ts';
import type { Rates } from './stream-counters.ts';
import type { Clock } from './stream-state.ts';
import type { Condition, ConditionType, Reason, StreamState, StreamTotals } from './types.ts';

/** What conditions are made of. */
export interface StreamEvidence {
  readonly state: StreamState;
  readonly reason: Reason | undefined;
  readonly retryAt: Date | undefined;
  readonly rates: Rates;
  readonly totals: StreamTotals;
  readonly facts: StreamFacts | undefined;
}

type Finding = Omit<Condition, 'type' | 'since'>;

const HAS_PICTURES: ReadonlySet<StreamState> = new Set(['live', 'degraded']);
const ON_THE_WAY: ReadonlySet<StreamState> = new Set(['pending', 'preparing', 'connecting']);
const OFF: ReadonlySet<StreamState> = new Set(['disabled', 'draining', 'stopped']);

/** One stream's conditions: each is judged apart, and `since` tells when it last became what it is. */
export class StreamConditions {
  readonly #clock: Clock;
  #conditions: readonly Condition[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get all(): readonly Condition[] {
    return this.#conditions;
  }

  /** Judges anew: with each change of state and each report of the worker. */
  judge(evidence: StreamEvidence): void {
    const now = this.#clock.now().toISOString();
    const before = new Map(this.#conditions.map((one) => [one.type, one]));
    const found: readonly (readonly [ConditionType, Finding])[] = [
      ['Connected', connected(evidence)],
      ['Decoding', decoding(evidence)],
      ['Inferring', inferring(evidence)],
      ['Recording', recording(evidence)],
      ['Publishing', publishing(evidence)],
      ['ClockSynced', clockSynced(evidence)],
    ];
    this.#conditions = found.map(([type, finding]) => {
      const known = before.get(type);
      return { type, ...finding, since: known?.status === finding.status ? known.since : now };
    });
  }
}

function connected({ state, reason, retryAt }: StreamEvidence): Finding {
  if (HAS_PICTURES.has(state)) return yes('The source sends');
  if (state === 'stalled') {
    return {
      status: 'unknown',
      reason: codeOf(reason),
      message: 'The session is open; see Decoding',
    };
  }
  if (OFF.has(state)) return { status: 'false', reason: 'NotAsked', message: `It is ${state}` };
  if (ON_THE_WAY.has(state)) return waiting(`It is ${state}`);
  return {
    ...{ status: 'false', reason: codeOf(reason), message: reason?.message ?? `It is ${state}` },
    ...(retryAt === undefined ? {} : { nextTryAt: retryAt.toISOString() }),
  };
}

function decoding({ state, reason, rates, totals, facts }: StreamEvidence): Finding {
  if (facts?.unasked?.includes('decode')) return unasked('Nothing is decoded here');
  const age = facts?.lastFrameAgeMs;
  const observed = {
    decodedFps: rates.decoded,
    ...(age === undefined ? {} : { lastFrameAgeMs: age }),
    ...(facts?.decodeMs === undefined ? {} : { decodeMs: facts.decodeMs }),
    ...(totals.framesCorrupt === undefined ? {} : { framesCorrupt: totals.framesCorrupt }),
  };
  if (HAS_PICTURES.has(state)) return { ...yes('Pictures are decoded'), observed };
  if (state === 'stalled') {
    const message = reason?.message ?? 'No picture comes';
    return { status: 'false', reason: codeOf(reason), message, observed };
  }
  return notConnected(state);
}

function inferring({ state, rates, totals, facts }: StreamEvidence): Finding {
  if (facts?.unasked?.includes('infer')) return unasked('No detector was asked for');
  if (!HAS_PICTURES.has(state)) return notConnected(state);
  const observed = {
    inferredFps: rates.inferred,
    ...(facts?.inferMs === undefined ? {} : { inferMs: facts.inferMs }),
  };
  if (rates.inferred > 0) return { ...yes('The detector runs on its frames'), observed };
  if (totals.framesInferred === 0) return waiting('The detector has had none of its frames yet');
  const message = 'The detector has had none of its frames in the last seconds';
  return { status: 'false', reason: 'SL_PIPELINE_TIMEOUT', message, observed };
}

function recording({ state, totals, facts }: StreamEvidence): Finding {
  if (facts?.recording === undefined) return unasked('Nothing is recorded here');
  if (!HAS_PICTURES.has(state)) return notConnected(state);
  const { writeAgeMs, failure } = facts.recording;
  const observed = {
    recordedBytes: totals.recordedBytes ?? 0,
    framesUnrecorded: totals.framesUnrecorded ?? 0,
    ...(writeAgeMs === undefined ? {} : { writeAgeMs }),
  };
  if (failure !== undefined) {
    return { status: 'false', reason: 'SL_STREAM_DEGRADED', message: failure, observed };
  }
  if (writeAgeMs === undefined) return waiting('No key frame has come yet');
  return { ...yes('Its video is written to files'), observed };
}

function publishing({ state, rates, totals, facts }: StreamEvidence): Finding {
  if (facts?.unasked?.includes('publish')) return unasked('Nothing but files leaves the worker');
  if (!HAS_PICTURES.has(state)) return notConnected(state);
  const { recordsRefused, recordsDropped } = totals;
  const observed = { publishedFps: rates.published, recordsRefused, recordsDropped };
  if (rates.published > 0) return { ...yes('Metadata leaves the worker'), observed };
  if (totals.framesPublished === 0) return waiting('No metadata has left the worker yet');
  const message = 'No metadata has left the worker in the last seconds';
  return { status: 'false', reason: 'SL_PIPELINE_TIMEOUT', message, observed };
}

function clockSynced({ state, facts }: StreamEvidence): Finding {
  const clockQuality = facts?.clockQuality;
  if (!HAS_PICTURES.has(state)) return notConnected(state);
  if (clockQuality === undefined) return waiting('The worker has not told how time is known');
  const observed = { clockQuality };
  if (clockQuality !== 'arrival') return { ...yes('The camera tells the time'), observed };
  const message = 'The camera tells no time: frames bear that of their arrival';
  return { status: 'false', reason: 'Arrival', message, observed };
}

function yes(message: string): Finding {
  return { status: 'true', reason: 'Ok', message };
}

function unasked(message: string): Finding {
  return { status: 'unknown', reason: 'NotAsked', message };
}

function waiting(message: string): Finding {
  return { status: 'unknown', reason: 'Waiting', message };
}

function notConnected(state: StreamState): Finding {
  const off = OFF.has(state);
  return { status: 'false', reason: off ? 'NotAsked' : 'NotConnected', message: `It is ${state}` };
}

function codeOf(reason: Reason | undefined): string {
  return reason?.code ?? 'SL_SOURCE_UNREACHABLE';
}
