import type { ControlEvent, Events } from '../control/types.ts';
import { STREAM_STATES } from '../control/types.ts';

/** The log of events is read in time: this many may come while one turn of the event loop lasts. */
const MAX_QUEUED = 100_000;
const STATE_EVENTS: ReadonlySet<string> = new Set(STREAM_STATES.map((state) => `stream.${state}`));

/** A count for each combination of a few words. */
type Counts = Map<string, number>;

/** Counts what only events tell, since the start of the process. Streams that are removed take their counts with them. */
export class EventCounts implements Disposable {
  /** By `streamId state code`. */
  readonly transitions: Counts = new Map();
  /** By `streamId layer`. */
  readonly stalls: Counts = new Map();
  /** By `streamId`: times without pictures for a successor, and how long. */
  readonly gaps: Counts = new Map();
  readonly gapMs: Counts = new Map();
  /** By `pipelineId reason`. */
  readonly exits: Counts = new Map();
  /** By `pipelineId kind`. */
  readonly incidents: Counts = new Map();
  readonly #abort = new AbortController();

  constructor(events: Events) {
    const { signal } = this.#abort;
    const subscription = events.subscribe({ maxQueued: MAX_QUEUED, signal });
    void (async () => {
      for await (const event of subscription) this.#count(event);
    })();
  }

  [Symbol.dispose](): void {
    this.#abort.abort();
  }

  #count(event: ControlEvent): void {
    const { type, streamId = '', pipelineId = '' } = event;
    if (STATE_EVENTS.has(type)) {
      add(this.transitions, streamId, type.slice('stream.'.length), textOf(event['code']));
      if (type === 'stream.stalled') add(this.stalls, streamId, textOf(event['layer']));
    } else if (type === 'stream.gap') {
      add(this.gaps, streamId);
      this.gapMs.set(streamId, (this.gapMs.get(streamId) ?? 0) + Number(event['gapMs']));
    } else if (type === 'stream.removed') {
      for (const counts of [this.transitions, this.stalls, this.gaps, this.gapMs])
        forget(counts, streamId);
    } else if (type === 'worker.exited') {
      add(this.exits, pipelineId, textOf(event['fault'] ?? event['signal'] ?? event['kind']));
    } else if (type === 'incident.recorded') {
      add(this.incidents, pipelineId, textOf(event['kind']));
    } else if (type === 'pipeline.removed') {
      for (const counts of [this.exits, this.incidents]) forget(counts, pipelineId);
    }
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : 'none';
}

function add(counts: Counts, ...words: string[]): void {
  const key = words.join(' ');
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function forget(counts: Counts, first: string): void {
  for (const key of counts.keys()) if (key.startsWith(`${first} `)) counts.delete(key);
}
