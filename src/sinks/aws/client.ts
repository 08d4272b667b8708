import { SightlineError } from '../../common/errors.ts';

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

/**
 * Settings of every AWS client: nothing waits for ever (the SDK's own default), and the long retry loop is the
 * outbox', so the SDK tries twice at most.
 */
export function awsClientConfig(spec: AwsSpec, sockets: number) {
  const { region, endpoint, credentials } = spec;
  return {
    region: region ?? process.env['AWS_REGION'] ?? 'us-east-1',
    maxAttempts: 2,
    requestHandler: {
      connectionTimeout: 3_000,
      requestTimeout: 30_000,
      throwOnRequestTimeout: true,
      httpAgent: { maxSockets: sockets },
      httpsAgent: { maxSockets: sockets },
    },
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
  'AuthorizationHeaderMalformed',
  'CredentialsProviderError',
  'ExpiredToken',
  'ExpiredTokenException',
  'IncompleteSignature',
  'IncompleteSignatureException',
  'InvalidAccessKeyId',
  'InvalidClientTokenId',
  'InvalidSecurity',
  'InvalidToken',
  'KMSAccessDeniedException',
  'KmsAccessDenied',
  'MissingAuthenticationToken',
  'MissingAuthenticationTokenException',
  'NotAuthorizedForDetailTypeException',
  'NotAuthorizedForSourceException',
  'RequestExpired',
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

interface AwsFailure {
  readonly name?: string;
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
  readonly $retryable?: { readonly throttling?: boolean };
}

/** The sink error for what an AWS client threw, by its code and status. `what` finishes "Cannot …". */
export function awsError(thrown: unknown, what: string): SightlineError {
  if (thrown instanceof SightlineError) return thrown;
  const failure = thrown as AwsFailure;
  const status = failure.$metadata?.httpStatusCode;
  const name = (failure.name ?? 'Error').replace(/^AWS\.SimpleQueueService\./, '');
  const reason = failure.code ?? name;
  const answered = status === undefined ? reason : `${reason}, status ${status}`;
  const code = awsCode(failure, name, status);
  const retryAfterMs = retryAfter(failure);
  return new SightlineError(code, `Cannot ${what} (${answered})`, {
    cause: thrown,
    details: { reason, status, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) },
  });
}

function awsCode(failure: AwsFailure, name: string, status: number | undefined) {
  if (status === 429 || failure.$retryable?.throttling === true) return 'SL_SINK_THROTTLED';
  const byName = awsNameCode(name);
  if (byName !== undefined) return byName;
  if (status === 401 || status === 403) return 'SL_SINK_UNAUTHORIZED';
  if (status === 413) return 'SL_SINK_REJECTED';
  if (CONNECTION_ENDED.has(failure.code ?? '')) return 'SL_SINK_UNAVAILABLE';
  if (TIMEOUTS.has(name) || failure.code === 'ETIMEDOUT') return 'SL_SINK_TIMEOUT';
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
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined;
}
