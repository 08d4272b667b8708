import type { Json } from './words.ts';

/**
 * Something that happened. Types: `stream.created`, `stream.<state>`, `stream.changed` (a setting, while it runs),
 * `stream.removed`, `stream.shadowed`, `stream.accelerator` (what it is compiled for, and again when its frames say
 * otherwise), `pipeline.note` (where the backend does otherwise than the spec says), `worker.starting`, `worker.running`
 * (the process is ready; it is given its streams next), `worker.exited`, `worker.crash_loop`, `worker.recycling` and
 * `worker.recycled` (a fresh one takes over; `gap`), `worker.bisecting` (its streams are split to find the one at fault),
 * `worker.merged`, `stream.gap` (`gapMs` without pictures, for a successor that could not run beside it), `stream.flapping`, `incident.recorded`, `records.refused`, `records.unreadable`,
 * `records.unread`, `pipeline.changed` (kept), `pipeline.applied` (it runs), `pipeline.failed`, `pipeline.removed`,
 * `stream.throttled` and `stream.unthrottled` (by admission, with the numbers), `camera.created`, `camera.changed`,
 * `camera.removed`, `camera.reachable`, `camera.unreachable`, `config.invalid` (a file of the watched folder),
 * `recording.repaired`, `recording.lost`, `recording.shed`, `recording.rejected` (segments, see docs/recording.md),
 * `recording.store_failing` and `recording.store_recovered`. The other
 * keys are facts of the type.
 */
export interface ControlEvent {
  /** Grows by one; also over restarts of the server the next id is larger. */
  readonly id: number;
  /** Wall clock, RFC 3339. */
  readonly time: string;
  readonly type: string;
  readonly streamId?: string;
  readonly pipelineId?: string;
  readonly [fact: string]: Json;
}

export interface EventSubscription extends AsyncIterable<ControlEvent> {
  /** True when events after `afterId` are already gone: tell the client to read everything anew. */
  readonly reset: boolean;
  /** `slow`: more than `maxQueued` events waited. The iteration ends in every case. */
  readonly ended: 'open' | 'closed' | 'slow';
  /** Ends the iteration. Idempotent. */
  close(): void;
}

export interface Events {
  /** Id of the newest event, or of the one before the first. */
  readonly lastId: number;
  /** Subscribers now, and how many were cut off because they were slow. */
  readonly stats: { readonly subscribers: number; readonly slowDisconnects: number };
  /**
   * Events after `afterId` (default: only new ones), then new ones as they come. A subscriber with more than
   * `maxQueued` (default 1000) events waiting is cut off.
   */
  subscribe(options?: {
    afterId?: number;
    maxQueued?: number;
    signal?: AbortSignal;
  }): EventSubscription;
  /** Adds an event, tells the log, and wakes subscribers. */
  emit(type: string, facts?: Readonly<Record<string, Json>>): ControlEvent;
  /** Newest events, oldest first, at most `limit` (default 100). */
  recent(limit?: number): readonly ControlEvent[];
}
