export interface BackoffOptions {
  /** Upper bound of the first wait. Default 500. */
  readonly baseMs?: number;
  /** Upper bound of every wait. Default 60000. */
  readonly capMs?: number;
  /** Source of randomness in [0, 1), for tests. */
  readonly random?: () => number;
}

/**
 * Wait before attempt `attempt` (1 for the first retry): exponential with full jitter, that is uniform in
 * [0, min(cap, base * 2^(attempt - 1))]. (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.)
 */
export function fullJitterMs(attempt: number, options: BackoffOptions = {}): number {
  const { baseMs = 500, capMs = 60_000, random = Math.random } = options;
  const ceiling = Math.min(capMs, baseMs * 2 ** Math.min(attempt - 1, 30));
  return Math.round(random() * ceiling);
}
