/** An interesting event as a store keeps it: JSON with at least these keys. */
export interface StoredEvent {
  /** Deterministic: the same event put again is the same one. */
  readonly id: string;
  /** RFC 3339, UTC, milliseconds: texts sort by time. */
  readonly time: string;
  readonly rule: string;
  readonly streamId: string;
  readonly [key: string]: unknown;
}

export interface EventQuery {
  readonly streamId?: string;
  readonly rule?: string;
  /** RFC 3339; inclusive. */
  readonly from?: string;
  /** RFC 3339; exclusive. */
  readonly to?: string;
  /** Only what comes after this event in the order of the list. */
  readonly after?: Pick<StoredEvent, 'id' | 'time'>;
  readonly limit: number;
}

/**
 * Where interesting events are kept. Adapters throw SightlineError `SL_UNAVAILABLE` when the store cannot be reached or
 * does not take them; trying again helps.
 */
export interface EventStore {
  /** Durable when it resolves. One that is there already stays as it is. */
  put(events: readonly StoredEvent[]): Promise<void>;
  /** Newest first. */
  list(query: EventQuery): Promise<readonly StoredEvent[]>;
  /** Undefined: there is none. */
  get(id: string): Promise<StoredEvent | undefined>;
  /** Removes events older than this (RFC 3339); says how many, where the store counts them. */
  prune(before: string): Promise<number>;
  close(): Promise<void>;
}

/** The event of a stored text; undefined for one that is damaged. */
export function parseEvent(text = ''): StoredEvent | undefined {
  try {
    const event = JSON.parse(text) as Partial<StoredEvent> | null;
    const keys = [event?.id, event?.time, event?.rule, event?.streamId];
    return keys.every((key) => typeof key === 'string') ? (event as StoredEvent) : undefined;
  } catch {
    return undefined;
  }
}
