import type { FrameFacts, ObjectFacts } from '../facts.ts';

/** A frame as a condition sees it. */
export interface Seen {
  readonly frame: FrameFacts;
  /** The objects the rule means. */
  readonly objects: readonly ObjectFacts[];
  /** Time of the stream, ms: grows from frame to frame, also over sessions, and never jumps with a clock. */
  readonly tMs: number;
}

/** What a condition found. */
export interface Finding {
  /** `instant`: it happened; `started` and `ended`: it goes on in between. */
  readonly phase: 'instant' | 'started' | 'ended';
  /** Tells findings of one frame apart, and what a cool-down is kept for: an object's id, or empty. */
  readonly key: string;
  readonly objects: readonly ObjectFacts[];
  /** Since when, in the stream's time; of `ended`: when it had started. */
  readonly sinceMs: number;
  /** What was counted, where something is. */
  readonly count?: number;
  /** More, in words of the rule: `direction: left-to-right`, `reason: lost`. */
  readonly details?: Readonly<Record<string, string>>;
}

/** One rule's memory of one stream. Frames come in their order. */
export interface Condition {
  onFrame(seen: Seen): readonly Finding[];
}

/** Findings of the same object before and after a reconnect are not the same: trackers begin anew. */
export function trackKey({ session }: FrameFacts, { id }: ObjectFacts): string {
  return `${session}/${id}`;
}
