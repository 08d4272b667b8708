/** What the API answers when it refuses (RFC 9457). */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  /** See docs/errors.md. */
  readonly code: string;
  /** Whether the same request can succeed later. */
  readonly retryable: boolean;
  readonly requestId: string;
  readonly errors?: readonly { readonly pointer: string; readonly message: string }[];
}

/** The API refused, or answered something that is none of its problems (`code` is then `HTTP_<status>`). */
export class SightlineApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly retryable: boolean;
  /** Absent where something between here and the API answered. */
  readonly problem?: Problem;

  constructor(status: number, problem: Problem | undefined) {
    super(problem?.detail ?? `The server answered ${status}`);
    this.name = 'SightlineApiError';
    this.status = status;
    this.code = problem?.code ?? `HTTP_${status}`;
    this.retryable = problem?.retryable ?? false;
    if (problem !== undefined) this.problem = problem;
  }
}

/** No answer came: the server is away, or was too slow. `cause` is what fetch threw. */
export class SightlineConnectionError extends Error {
  constructor(method: string, path: string, cause: unknown) {
    super(`No answer to ${method} ${path}: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
    this.name = 'SightlineConnectionError';
  }
}
