import { SightlineError } from '../../common/errors.ts';
import { shownName } from './answers.ts';
import { BoundedHandler } from './bounded-handler.ts';

/** What the specs of all sinks that talk to AWS share. */
export interface AwsSpec {
  readonly region?: string | undefined;
  readonly endpoint?: string | undefined;
  readonly credentials?:
    | {
        readonly accessKeyId: string;
        readonly secretAccessKey: string;
        readonly sessionToken?: string | undefined;
      }
    | undefined;
}

/** Of an answer in memory: the most that is asked for at once is 10 MiB, in base64. */
const ANSWER_BYTES = 32 * 1024 * 1024;

/**
 * Settings of one AWS client, which has the connections to itself: nothing waits for ever (the SDK's own default), no
 * answer is longer than memory, and the long retry loop is the outbox', so the SDK tries twice at most.
 */
export function awsClientConfig(spec: AwsSpec, sockets: number, answerBytes = ANSWER_BYTES) {
  const { region, endpoint, credentials } = spec;
  return {
    region: region ?? process.env['AWS_REGION'] ?? 'us-east-1',
    maxAttempts: 2,
    requestHandler: new BoundedHandler(answerBytes, {
      connectionTimeout: 3_000,
      // Above the longest poll of a queue, which is 20 s.
      requestTimeout: 30_000,
      throwOnRequestTimeout: true,
      httpAgent: { maxSockets: sockets },
      httpsAgent: { maxSockets: sockets },
    }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials: withoutUndefined(credentials) }),
  };
}

function withoutUndefined(credentials: NonNullable<AwsSpec['credentials']>) {
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  return sessionToken === undefined
    ? { accessKeyId, secretAccessKey }
    : { accessKeyId, secretAccessKey, sessionToken };
}

const THROTTLED = new Set([
  'Throttling',
  'ThrottlingException',
  'ThrottledException',
  'RequestThrottled',
  'RequestThrottledException',
  'RequestLimitExceeded',
  'TooManyRequestsException',
  'SlowDown',
  'BandwidthLimitExceeded',
  'OverLimit',
  'KMSThrottlingException',
  'KmsThrottled',
  'ProvisionedThroughputExceededException',
  // Firehose says so when its limits are exceeded, of requests and of records.
  'ServiceUnavailableException',
]);

const UNAUTHORIZED = new Set([
  'AccessDenied',
  'AccessDeniedException',
  'AuthFailure',
  'AuthorizationHeaderMalformed',
  'CredentialsProviderError',
  'ExpiredToken',
  'ExpiredTokenException',
  'IncompleteSignature',
  'IncompleteSignatureException',
  'InvalidAccessKeyId',
  'InvalidClientTokenId',
  'InvalidSecurity',
  // Kinesis, EventBridge and others, with status 400: a wrong key, or a clock that the SDK could not make up for.
  'InvalidSignatureException',
  'InvalidToken',
  'KMSAccessDeniedException',
  'KmsAccessDenied',
  'MissingAuthenticationToken',
  'MissingAuthenticationTokenException',
  'NotAuthorized',
  'NotAuthorizedForDetailTypeException',
  'NotAuthorizedForSourceException',
  'OptInRequired',
  'RequestExpired',
  'RequestInTheFuture',
  'RequestTimeTooSkewed',
  'SignatureDoesNotMatch',
  'UnrecognizedClientException',
]);

/** Causes that lie in the record and never go away. Everything unknown is tried again: nothing is lost by a guess. */
const REJECTED = new Set([
  'BatchRequestTooLong',
  'EntityTooLarge',
  'InvalidMessageContents',
  'KeyTooLongError',
  'MalformedDetail',
  'MetadataTooLarge',
]);

/** The SDK counts these among its time-outs; they are an end of the connection. */
const CONNECTION_ENDED = new Set(['ECONNRESET', 'EPIPE']);

const TIMEOUTS = new Set(['TimeoutError', 'RequestTimeout', 'RequestTimeoutException']);

/** As long as a webhook may ask for. */
const MAX_RETRY_AFTER_MS = 3_600_000;

/** What the SDK throws has what the service said laid over it: nothing of it is sure to be what it should be. */
interface AwsFailure {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
  readonly $retryable?: { readonly throttling?: boolean };
}

/** The sink error for what an AWS client threw, by its code and status. `what` finishes "Cannot …". */
export function awsError(thrown: unknown, what: string): SightlineError {
  if (thrown instanceof SightlineError) return thrown;
  const failure = thrown as AwsFailure;
  const status = failure.$metadata?.httpStatusCode;
  const name = shownName(failure.name);
  const reason = failure.code === undefined ? name : shownName(failure.code);
  const answered = status === undefined ? reason : `${reason}, status ${status}`;
  const code = awsCode(failure, { name, reason, status });
  const retryAfterMs = retryAfter(failure);
  return new SightlineError(code, `Cannot ${what} (${answered})`, {
    cause: thrown,
    details: { reason, status, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) },
  });
}

interface Answered {
  readonly name: string;
  readonly reason: string;
  readonly status: number | undefined;
}

function awsCode(failure: AwsFailure, { name, reason, status }: Answered) {
  if (status === 429 || failure.$retryable?.throttling === true) return 'SL_SINK_THROTTLED';
  const byName = awsNameCode(name);
  if (byName !== undefined) return byName;
  if (status === 401 || status === 403) return 'SL_SINK_UNAUTHORIZED';
  if (status === 413) return 'SL_SINK_REJECTED';
  if (CONNECTION_ENDED.has(reason)) return 'SL_SINK_UNAVAILABLE';
  if (TIMEOUTS.has(name) || reason === 'ETIMEDOUT') return 'SL_SINK_TIMEOUT';
  return 'SL_SINK_UNAVAILABLE';
}

/** The code for what AWS calls an error, of a request or of one entry in it; undefined where the name alone says nothing. */
export function awsNameCode(name: string) {
  if (THROTTLED.has(name)) return 'SL_SINK_THROTTLED';
  if (UNAUTHORIZED.has(name)) return 'SL_SINK_UNAUTHORIZED';
  return REJECTED.has(name) ? 'SL_SINK_REJECTED' : undefined;
}

function retryAfter(failure: AwsFailure): number | undefined {
  const seconds = Number(failure.$response?.headers?.['retry-after']);
  return seconds > 0 ? Math.min(seconds * 1000, MAX_RETRY_AFTER_MS) : undefined;
}
