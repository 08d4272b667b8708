import { protocolErrorsCodesById } from '@platformatic/kafka';
import { type ErrorCode, SightlineError } from '../../common/errors.ts';

// Codes: https://kafka.apache.org/protocol#protocol_error_codes

const UNAUTHORIZED = new Set([29, 30, 31, 33, 34, 53, 54, 58, 65]);
const THROTTLED = new Set([89]);
/** The record itself is at fault. */
const REJECTED = new Set([10, 18, 32, 87]);
/** Another broker leads the partition now, or this one does not know it yet. */
const STALE = new Set([3, 5, 6, 9, 72, 74, 75, 100]);
/** The broker does not know what this producer sent before. */
const LOST_SESSION = new Set([45, 47, 48, 49, 59, 90]);

export const OK = 0;
export const DUPLICATE_SEQUENCE = 46;
export const TOO_LARGE = new Set([10, 18]);

export function isStale(code: number): boolean {
  return STALE.has(code);
}

export function isLostSession(code: number): boolean {
  return LOST_SESSION.has(code);
}

export function isRejected(code: number): boolean {
  return REJECTED.has(code);
}

/** An error code in an answer of a broker. @param what ends "Cannot ..." */
export function codeError(code: number, what: string, brokerSays?: string | null): SightlineError {
  const reason = protocolErrorsCodesById[code as never] ?? `error ${code}`;
  const said = brokerSays ? `: ${brokerSays}` : '';
  return new SightlineError(kindOf(code), `Cannot ${what} (${String(reason)}${said})`, {
    details: { reason },
  });
}

function kindOf(code: number): ErrorCode {
  if (UNAUTHORIZED.has(code)) return 'SL_SINK_UNAUTHORIZED';
  if (THROTTLED.has(code)) return 'SL_SINK_THROTTLED';
  return REJECTED.has(code) ? 'SL_SINK_REJECTED' : 'SL_SINK_UNAVAILABLE';
}

interface ClientError {
  readonly code?: unknown;
  readonly message?: unknown;
  readonly apiCode?: unknown;
  readonly errors?: readonly unknown[];
  readonly cause?: unknown;
}

/** What the client library threw. @param what ends "Cannot ..." */
export function clientError(thrown: unknown, what: string): SightlineError {
  if (thrown instanceof SightlineError) return thrown;
  const errors = chain(thrown);
  const answered = errors.find(({ apiCode }) => typeof apiCode === 'number');
  if (answered !== undefined) return codeError(answered.apiCode as number, what);
  if (isRefusal(errors)) {
    const options = { cause: thrown, details: { reason: 'AUTHENTICATION' } };
    const message = `Cannot ${what} (the credentials are refused)`;
    return new SightlineError('SL_SINK_UNAUTHORIZED', message, options);
  }
  const root = errors.at(-1);
  const reason = String(root?.code ?? root?.message ?? thrown);
  const isTimeout = errors.some(({ message }) => /timed out/i.test(String(message)));
  return new SightlineError(
    isTimeout ? 'SL_SINK_TIMEOUT' : 'SL_SINK_UNAVAILABLE',
    `Cannot ${what} (${isTimeout ? 'no answer in time' : reason})`,
    { cause: thrown, details: { reason } },
  );
}

/** A connection that breaks while credentials are exchanged is an authentication error too, with the break as its cause. */
function isRefusal(errors: readonly ClientError[]): boolean {
  const at = errors.findIndex(({ code }) => code === 'PLT_KFK_AUTHENTICATION');
  const causes = errors.slice(at + 1);
  return at !== -1 && causes.every(({ code }) => code === 'PLT_KFK_AUTHENTICATION');
}

/** An error, those it gathers and those it comes from, at most 16. */
function chain(thrown: unknown): ClientError[] {
  const found: ClientError[] = [];
  const open = [thrown];
  while (open.length > 0 && found.length < 16) {
    const next = open.shift();
    if (typeof next !== 'object' || next === null) continue;
    const error = next as ClientError;
    found.push(error);
    open.push(...(error.errors ?? []), error.cause);
  }
  return found;
}
