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

/** Error answers a route documents: the reference is resolved by the OpenAPI generator. */
export function problemResponses(...statuses: number[]): Record<number, unknown> {
  return Object.fromEntries(
    statuses.map((status) => [
      status,
      {
        description: 'Problem (RFC 9457)',
        content: { 'application/problem+json': { schema: Type.Ref('Problem') } },
      },
    ]),
  );
}

/** Fastify's own errors (limits, media types, validation) under our codes. */
function fromFastify(error: FastifyError): SightlineError | undefined {
  if (error.validation !== undefined) {
    const where = error.validationContext ?? 'request';
    const problems = error.validation.map((issue) => {
      const extra = issue.params?.['additionalProperty'] ?? issue.params?.['additionalProperties'];
      const names = Array.isArray(extra) ? extra.join('", "') : extra;
      return {
        pointer: issue.instancePath,
        message:
          names === undefined
            ? (issue.message ?? 'is invalid')
            : `must not have the property "${String(names)}"`,
      };
    });
    const text = problems.map((p) => `${p.pointer || '/'} ${p.message}`).join('; ');
    return new SightlineError('SL_REQUEST_INVALID', `Cannot accept the ${where}: ${text}`, {
      problems,
    });
  }
  const status = error.statusCode ?? 500;
  if (status >= 400 && status < 500) {
    return new SightlineError('SL_REQUEST_INVALID', error.message, { cause: error });
  }
  return undefined;
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

const TITLES: Partial<Record<number, string>> = {
  400: 'Bad request',
  404: 'Not found',
  409: 'Conflict',
  413: 'Content too large',
  415: 'Unsupported media type',
  422: 'Unprocessable content',
  500: 'Internal server error',
  503: 'Service unavailable',
  504: 'Timed out',
};

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
  if (facts.status === 503 || facts.status === 504) reply.header('retry-after', '1');
  void reply
    .status(facts.status)
    .type('application/problem+json')
    .serializer((body: unknown) => JSON.stringify(body))
    .send({
      type: `urn:sightline:error:${facts.code}`,
      title: TITLES[facts.status] ?? 'Request failed',
      instance: path,
      requestId: request.id,
      ...facts,
    });
}
