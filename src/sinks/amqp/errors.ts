import { type ErrorCode, SightlineError } from '../../common/errors.ts';

// Reply codes: AMQP 0-9-1, 1.2 Constants.

const CONTENT_TOO_LARGE = 311;
const NO_ROUTE = 312;
const ACCESS_REFUSED = 403;
const PRECONDITION_FAILED = 406;
const RESOURCE_ERROR = 506;
const NOT_ALLOWED = 530;

const CODES: ReadonlyMap<number, ErrorCode> = new Map([
  [CONTENT_TOO_LARGE, 'SL_SINK_REJECTED'],
  [PRECONDITION_FAILED, 'SL_SINK_REJECTED'],
  [ACCESS_REFUSED, 'SL_SINK_UNAUTHORIZED'],
  [NOT_ALLOWED, 'SL_SINK_UNAUTHORIZED'],
  [RESOURCE_ERROR, 'SL_SINK_THROTTLED'],
  [NO_ROUTE, 'SL_SINK_UNAVAILABLE'],
]);

/** What the client library threw, or why it gave a connection or a channel up. @param what ends "Cannot ..." */
export function amqpError(thrown: unknown, what: string): SightlineError {
  if (thrown instanceof SightlineError) return thrown;
  const { code, message = String(thrown) } = (thrown ?? {}) as { code?: unknown; message?: string };
  const replyCode = typeof code === 'number' ? code : handshakeCode(message);
  const kind = CODES.get(replyCode) ?? (/ETIMEDOUT/.test(message) ? 'SL_SINK_TIMEOUT' : undefined);
  const reason = thrown === undefined ? 'the connection closed' : message;
  return new SightlineError(kind ?? 'SL_SINK_UNAVAILABLE', `Cannot ${what} (${reason})`, {
    cause: thrown,
    details: { reason: String(replyCode || code || reason) },
  });
}

/**
 * A refusal during the handshake has its code in the text alone, `Handshake terminated by server: 403 (...)`; that of a
 * virtual host has none: it is not there, or this user may not use it.
 */
function handshakeCode(message: string): number {
  if (message.startsWith('Expected ConnectionOpenOk; got <ConnectionClose')) return NOT_ALLOWED;
  return Number(/terminated by server: (\d{3})/.exec(message)?.[1] ?? 0);
}
