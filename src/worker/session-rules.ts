import type { SightlineError } from '../common/errors.ts';
import type { PipelineEvent } from '../gst/events.ts';
import type { Graph } from '../pipeline/graph.ts';
import type { StalledLayer, StreamPhase, StreamPolicy } from './protocol.ts';
import type { SamplesByStream } from './stream-sample.ts';

/** How a session ended: the file is over, it was told to, or it failed. */
export type SessionEnd =
  | { readonly cause: 'ended' | 'stopped' }
  | {
      readonly cause: 'failed';
      readonly error: SightlineError;
      /** GStreamer did not take the start. */
      readonly atStart?: boolean;
      /** The stream for whose sake the others are interrupted; absent: it concerns all of them. */
      readonly forSakeOf?: string;
      /** Where frames stopped, when that is why. */
      readonly layer?: StalledLayer;
      readonly observed?: Readonly<Record<string, number>>;
    };

/** A stream changed its phase while the session goes on. */
export interface StreamChange {
  readonly streamId: string;
  readonly phase: StreamPhase;
  readonly code?: string;
  readonly message?: string;
  readonly retryInMs?: number;
  readonly layer?: StalledLayer;
  readonly observed?: Readonly<Record<string, number>>;
}

export interface RulesOptions {
  readonly graph: Graph;
  readonly policy: StreamPolicy;
  readonly onChange: (change: StreamChange) => void;
  /** Ends the session. Only the first call counts. */
  readonly end: (end: SessionEnd) => void;
}

/** What a running graph's events and counters mean for its streams. One object a session. */
export interface SessionRules {
  /** How long pictures have come, in ms; 0 before the first. */
  readonly liveForMs: number;
  readonly live: boolean;
  /** The wait for the first picture begins: at the construction, or when the start was taken. */
  begin(): void;
  onEvent(event: PipelineEvent): void;
  /** Counters were read, about once a second. */
  onSample(samples: SamplesByStream): void;
  /** A source or a decoder was told otherwise while it runs: its rate may be another one now. */
  onSet(): void;
  /** From now on an end-of-stream is ours. */
  drain(): void;
  /** No timer is left behind. Idempotent. */
  close(): void;
}
