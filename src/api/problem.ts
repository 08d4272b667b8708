import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { type ErrorCode, SightlineError, toSightlineError } from '../common/errors.ts';

/** Shape of every error answer: RFC 9457 problem details with our code, whether retrying helps, and each problem found. */
export const ProblemSchema = Type.Object(
  {
    type: Type.String({ description: 'urn:sightline:error:<code>' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    instance: Type.String({ description: 'Path of the request' }),
    code: Type.String({ description: 'See docs/errors.md' }),
    retryable: Type.Boolean({ description: 'Whether the same request can succeed later' }),
    requestId: Type.String(),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          pointer: Type.String({ description: 'JSON pointer (RFC 6901) into the body' }),
          message: Type.String(),
        }),
      ),
    ),
  },
  { $id: 'Problem' },
);

const TITLES: Partial<Record<number, string>> = {
  400: 'Bad request',
  404: 'Not found',
  405: 'Method not allowed',
  408: 'Request timed out',
  409: 'Conflict',
  412: 'Precondition failed',
  413: 'Content too large',
  415: 'Unsupported media type',
  422: 'Unprocessable content',
  428: 'Precondition required',
  431: 'Request header fields too large',
  500: 'Internal server error',
  503: 'Service unavailable',
  504: 'Timed out',
};

/** Error answers a route documents: the reference is resolved by the OpenAPI generator. */
export function problemResponses(...statuses: number[]): Record<number, unknown> {
  return Object.fromEntries(
    statuses.map((status) => [
      status,
      {
        description: `${TITLES[status] ?? 'Problem'} (RFC 9457)`,
        content: { 'application/problem+json': { schema: Type.Ref('Problem') } },
      },
    ]),
  );
}

/** Fastify's own errors (limits, media types) under our codes. */
function fromFastify(error: FastifyError): SightlineError | undefined {
  const status = error.statusCode ?? 500;
  if (status < 400 || status >= 500) return undefined;
  return new SightlineError('SL_REQUEST_INVALID', error.message, { cause: error });
}

/** The one error handler: any error becomes a problem; what is not ours is logged whole and answered without its text. */
export function handleError(
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const known =
    error instanceof SightlineError ? error : (fromFastify(error) ?? toSightlineError(error));
  const fastifyStatus = error.statusCode;
  const status =
    known.code === 'SL_REQUEST_INVALID' && fastifyStatus !== undefined
      ? fastifyStatus
      : known.status;
  const internal = known.code === 'SL_INTERNAL';
  if (internal) request.log.error({ err: error }, 'request.failed');
  else request.log.info({ code: known.code, detail: known.message }, 'request.refused');
  sendProblem(request, reply, {
    status,
    code: known.code,
    retryable: known.retryable,
    detail: internal
      ? 'The server failed to handle the request; its log tells why under this requestId'
      : known.message,
    ...(known.problems.length === 0
      ? {}
      : { errors: known.problems.map(({ pointer, message }) => ({ pointer, message })) }),
  });
}

interface ProblemFacts {
  readonly status: number;
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly detail: string;
  readonly errors?: readonly { pointer: string; message: string }[];
}

export function sendProblem(
  request: FastifyRequest,
  reply: FastifyReply,
  facts: ProblemFacts,
): void {
  const path = request.url.split('?', 1)[0] ?? request.url;
  if (facts.retryable) reply.header('retry-after', '1');
  void reply
    .status(facts.status)
    .type('application/problem+json')
    .serializer((body: unknown) => JSON.stringify(body))
    .send(problemOf(path, request.id, facts));
}

function problemOf(instance: string, requestId: string, facts: ProblemFacts) {
  return {
    type: `urn:sightline:error:${facts.code}`,
    title: TITLES[facts.status] ?? 'Request failed',
    instance,
    requestId,
    ...facts,
  };
}

/** Answers what is no HTTP request, or one whose headers are too long or too slow, and closes the connection. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const tooLong = error.code === 'HPE_HEADER_OVERFLOW';
  const tooSlow = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
  const status = tooLong ? 431 : tooSlow ? 408 : 400;
  const detail = tooLong
    ? 'The headers are too long'
    : tooSlow
      ? 'The request did not come in time'
      : 'This is no HTTP request';
  const facts = { status, code: 'SL_REQUEST_INVALID', retryable: false, detail } as const;
  const body = JSON.stringify(problemOf('/', randomUUID(), facts));
  socket.end(
    `HTTP/1.1 ${status} ${TITLES[status]}\r\nContent-Type: application/problem+json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
