import { type ErrorCode, SightlineError } from '../../common/errors.ts';
import type { Answer } from './endpoint.ts';

/** Answers that mean this message and no other. */
const REJECTED = new Set([400, 413, 422]);
const UNAUTHORIZED = new Set([401, 403, 407]);
const TIMEOUT = new Set([408, 504]);
const MAX_RETRY_AFTER_MS = 3_600_000;

/** The error of an answer that is no delivery. What its body says is not told: it may repeat what was sent. */
export function answerError(answer: Answer, what: string): SightlineError {
  const { status } = answer;
  const isRedirect = status >= 300 && status < 400;
  const hint = isRedirect ? ': redirects are not followed, name the new address in `url`' : '';
  const waitMs = retryAfterMs(answer);
  return new SightlineError(codeOf(answer), `Cannot ${what}: it answered ${status}${hint}`, {
    details: { status, ...(waitMs > 0 ? { retryAfterMs: waitMs } : {}) },
  });
}

/** How long 429 and 503 ask to wait, ms, an hour at most; 0 for others, and where they do not say. (RFC 9110, 10.2.3) */
export function retryAfterMs({ status, retryAfter }: Answer): number {
  if ((status !== 429 && status !== 503) || retryAfter === undefined) return 0;
  const wait = /^\d+$/.test(retryAfter)
    ? Number(retryAfter) * 1000
    : Date.parse(retryAfter) - Date.now();
  return Number.isNaN(wait) ? 0 : Math.min(Math.max(0, wait), MAX_RETRY_AFTER_MS);
}

function codeOf(answer: Answer): ErrorCode {
  const { status } = answer;
  if (status === 429 || retryAfterMs(answer) > 0) return 'SL_SINK_THROTTLED';
  if (UNAUTHORIZED.has(status)) return 'SL_SINK_UNAUTHORIZED';
  if (TIMEOUT.has(status)) return 'SL_SINK_TIMEOUT';
  return REJECTED.has(status) ? 'SL_SINK_REJECTED' : 'SL_SINK_UNAVAILABLE';
}
