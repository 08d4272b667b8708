/** Whose fault an error is: it decides the log level (user: warn, system: error). */
export type Fault = 'user' | 'system';

/**
 * Every code Sightline reports, with the HTTP status the API answers and whether trying again can help.
 * `docs/errors.md` lists the same codes (a test compares both ways).
 */
export const ERROR_CODES = {
  SL_SPEC_INVALID: { status: 422, retryable: false, fault: 'user' },
  SL_CONFIG_INVALID: { status: 422, retryable: false, fault: 'user' },
  SL_REQUEST_INVALID: { status: 400, retryable: false, fault: 'user' },
  SL_NOT_FOUND: { status: 404, retryable: false, fault: 'user' },
  SL_CONFLICT: { status: 409, retryable: false, fault: 'user' },
  SL_PRECONDITION_FAILED: { status: 412, retryable: false, fault: 'user' },
  SL_PRECONDITION_REQUIRED: { status: 428, retryable: false, fault: 'user' },
  SL_IDEMPOTENCY_MISMATCH: { status: 422, retryable: false, fault: 'user' },
  SL_IN_PROGRESS: { status: 409, retryable: true, fault: 'user' },
  SL_ADMISSION_DENIED: { status: 503, retryable: true, fault: 'user' },
  SL_CLOSED: { status: 409, retryable: false, fault: 'system' },
  SL_UNAVAILABLE: { status: 503, retryable: true, fault: 'system' },
  SL_TIMEOUT: { status: 504, retryable: true, fault: 'system' },
  SL_INTERNAL: { status: 500, retryable: false, fault: 'system' },
  SL_DATA_DIR_LOCKED: { status: 503, retryable: false, fault: 'user' },
  SL_PORT_TAKEN: { status: 503, retryable: false, fault: 'user' },
  SL_BACKEND_UNSUPPORTED: { status: 422, retryable: false, fault: 'user' },
  SL_GPU_UNAVAILABLE: { status: 422, retryable: false, fault: 'user' },

  SL_MODEL_NOT_FOUND: { status: 422, retryable: false, fault: 'user' },
  SL_MODEL_INVALID: { status: 422, retryable: false, fault: 'user' },
  SL_MODEL_CHECKSUM: { status: 422, retryable: false, fault: 'user' },

  SL_ENGINE_PREPARING: { status: 503, retryable: true, fault: 'user' },
  SL_ENGINE_FAILED: { status: 503, retryable: true, fault: 'system' },

  SL_ADDON_LOAD_FAILED: { status: 500, retryable: false, fault: 'system' },
  SL_PIPELINE_FAILED: { status: 500, retryable: true, fault: 'system' },
  SL_PIPELINE_TIMEOUT: { status: 504, retryable: true, fault: 'system' },
  SL_WORKER_NOT_READY: { status: 503, retryable: true, fault: 'system' },
  SL_WORKER_HUNG: { status: 503, retryable: true, fault: 'system' },
  SL_WORKER_CRASH_LOOP: { status: 503, retryable: true, fault: 'system' },
  SL_WORKER_BUDGET: { status: 503, retryable: true, fault: 'system' },
  SL_STREAM_QUARANTINED: { status: 503, retryable: true, fault: 'user' },
  SL_STREAM_DISABLED: { status: 409, retryable: false, fault: 'user' },
  SL_STREAM_DEGRADED: { status: 503, retryable: true, fault: 'user' },
  SL_WORKER_DIED: { status: 503, retryable: true, fault: 'system' },

  SL_SOURCE_UNREACHABLE: { status: 503, retryable: true, fault: 'user' },
  SL_SOURCE_UNAUTHORIZED: { status: 503, retryable: true, fault: 'user' },
  SL_SOURCE_NOT_FOUND: { status: 503, retryable: true, fault: 'user' },
  SL_SOURCE_REDIRECTED: { status: 503, retryable: true, fault: 'user' },
  SL_SOURCE_UNSUPPORTED: { status: 422, retryable: false, fault: 'user' },
  SL_SOURCE_NOT_VIDEO: { status: 422, retryable: false, fault: 'user' },
  SL_SOURCE_STALLED: { status: 503, retryable: true, fault: 'user' },
  SL_SOURCE_ENDED: { status: 503, retryable: true, fault: 'user' },
  SL_SOURCE_BROKEN: { status: 503, retryable: true, fault: 'user' },

  SL_OUTBOX_FULL: { status: 503, retryable: true, fault: 'system' },
  SL_OUTBOX_DISK_FULL: { status: 503, retryable: true, fault: 'system' },
  SL_OUTBOX_CORRUPT: { status: 500, retryable: false, fault: 'system' },
  SL_OUTBOX_FORMAT: { status: 500, retryable: false, fault: 'user' },
  SL_OUTBOX_KEY: { status: 500, retryable: false, fault: 'user' },

  SL_SINK_UNAVAILABLE: { status: 503, retryable: true, fault: 'user' },
  SL_SINK_THROTTLED: { status: 503, retryable: true, fault: 'user' },
  SL_SINK_UNAUTHORIZED: { status: 503, retryable: true, fault: 'user' },
  SL_SINK_REJECTED: { status: 422, retryable: false, fault: 'user' },
  SL_SINK_TIMEOUT: { status: 504, retryable: true, fault: 'user' },
  SL_MESSAGE_INVALID: { status: 422, retryable: false, fault: 'user' },
} as const satisfies Record<string, { status: number; retryable: boolean; fault: Fault }>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** One problem among several in a document: where (JSON pointer, and line/column when it came from a file) and what. */
export interface Problem {
  readonly pointer: string;
  readonly message: string;
  readonly line?: number;
  readonly column?: number;
}

export interface SightlineErrorOptions {
  readonly cause?: unknown;
  /** Facts for logs and API answers. Never a secret: use `Secret` and the redacted URL. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly problems?: readonly Problem[];
}

/**
 * The one error class of Sightline. `message` states the action, the thing it was tried on and, where there is one,
 * the remedy; `code` is what programs match on.
 */
export class SightlineError extends Error {
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;
  readonly problems: readonly Problem[];

  constructor(code: ErrorCode, message: string, options: SightlineErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'SightlineError';
    this.code = code;
    this.details = options.details ?? {};
    this.problems = options.problems ?? [];
  }

  get retryable(): boolean {
    return ERROR_CODES[this.code].retryable;
  }

  get status(): number {
    return ERROR_CODES[this.code].status;
  }

  get fault(): Fault {
    return ERROR_CODES[this.code].fault;
  }
}

/** The error itself when it is ours, else `SL_INTERNAL` around it: total, never throws. */
export function toSightlineError(error: unknown): SightlineError {
  if (error instanceof SightlineError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new SightlineError('SL_INTERNAL', message, { cause: error });
}
