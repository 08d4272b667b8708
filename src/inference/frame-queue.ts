/**
 * Where frames wait: an SQS queue (with claim checks in S3) or a queue of an AMQP broker. The adapter knows the transport;
 * what is in a message and what becomes of it is for the intake to say.
 */
export interface FrameQueue {
  /** Name for messages and logs, without secrets. */
  readonly what: string;
  /**
   * The next messages, at most `max`; resolves with none now and then, and when `signal` aborts. Waits by itself while the
   * queue cannot be reached; several calls may wait at a time.
   */
  receive(max: number, signal: AbortSignal): Promise<readonly Delivery[]>;
  /** Messages that wait, those that are being worked on included; undefined when the queue does not say. */
  backlog(signal: AbortSignal): Promise<number | undefined>;
  readonly counts: QueueCounts;
  /** Settles what was accepted or released, up to `limitMs`; what has no fate becomes visible again. */
  close(limitMs: number): Promise<void>;
}

/** Since the start. */
export interface QueueCounts {
  received: number;
  deleted: number;
  /** Deletions that failed for good: the message comes again. */
  deleteFailures: number;
  released: number;
  buried: number;
  /** Renewals of what hides a message while it is worked on. */
  extensions: number;
  extensionFailures: number;
  /** Requests, connections included, that failed. */
  errors: number;
}

export function newQueueCounts(): QueueCounts {
  return {
    ...{ received: 0, deleted: 0, deleteFailures: 0, released: 0, buried: 0 },
    ...{ extensions: 0, extensionFailures: 0, errors: 0 },
  };
}

/**
 * One receipt of one message. It is held for this process until exactly one of accept(), release() and bury() is called;
 * the first call counts.
 */
export interface Delivery {
  /** Of the message, for logs. */
  readonly id: string;
  /** How often it has been received, this time included. */
  readonly receives: number;
  /** Since it was sent, by the wall clock of the queue, ms; absent where the queue does not say. */
  readonly ageMs?: number;
  /**
   * The bytes of a sightline.v1.Image.
   * @throws SightlineError `SL_MESSAGE_INVALID` for what is none; `SL_UNAVAILABLE` when its object cannot be read now
   */
  open(signal: AbortSignal): Promise<Uint8Array>;
  /** The work is done: takes the message off the queue, soon. */
  accept(): void;
  /** It may come again, not before `delayMs`. */
  release(delayMs: number): void;
  /**
   * Takes the message off the queue and into its dead letters, with the reason. False when the queue has no place for
   * them: then it is held as before.
   */
  bury(reason: string): Promise<boolean>;
}
