import { ERROR_CODES, type ErrorCode, SightlineError } from '../common/errors.ts';
import type { Graph, Role } from '../pipeline/graph.ts';
import type { IssueEvent } from './events.ts';
import { allNodes } from './redact.ts';

/** GstResourceError (gsterror.h). */
const RESOURCE = {
  failed: 1,
  notFound: 3,
  busy: 4,
  openRead: 5,
  openWrite: 6,
  openReadWrite: 7,
  notAuthorized: 15,
} as const;
/** GstStreamError. */
const STREAM = {
  notImplemented: 3,
  typeNotFound: 4,
  wrongType: 5,
  codecNotFound: 6,
  decrypt: 12,
  decryptNoKey: 13,
} as const;
/** GstLibraryError. */
const LIBRARY = { init: 3, settings: 5 } as const;
/** GstCoreError. */
const CORE = { missingPlugin: 12 } as const;

/** From the camera to decoded pictures: what goes wrong here is the source's doing. */
const SOURCE_ROLES: ReadonlySet<Role> = new Set([
  'source',
  'depayload',
  'parse',
  'stamp',
  'decode',
]);

const SAYS: Partial<Record<ErrorCode, string>> = {
  SL_SOURCE_UNREACHABLE: 'The source cannot be reached; check its address and that it is on',
  SL_SOURCE_UNAUTHORIZED: 'The source refuses the credentials; check user and password',
  SL_SOURCE_NOT_FOUND: 'The source does not exist; check its path',
  SL_SOURCE_UNSUPPORTED: 'The source sends what this pipeline cannot take',
  SL_SOURCE_NOT_VIDEO: 'The source is not video',
  SL_SOURCE_BROKEN: 'The source broke off or does not answer as it should',
  SL_MODEL_NOT_FOUND: 'The model cannot be found',
  SL_MODEL_INVALID: 'The model or its configuration cannot be used',
  SL_BACKEND_UNSUPPORTED:
    'This machine lacks a part that the pipeline needs (see `sightline doctor`)',
};

/** The error an issue means: its code by the role of the node that posted it, its domain and its number, never its text. */
export function errorOfIssue(issue: IssueEvent, graph: Graph): SightlineError {
  const role = allNodes(graph).find(({ id }) => id === issue.node)?.role;
  const code = codeOfIssue(issue, role);
  const where = issue.node === null ? '' : ` (node "${issue.node}", ${issue.factory})`;
  const says = SAYS[code];
  return new SightlineError(
    code,
    `${says === undefined ? '' : `${says}: `}${issue.message}${where}`,
    {
      details: {
        node: issue.node,
        element: issue.element,
        factory: issue.factory,
        domain: issue.domain,
        code: issue.code,
        debug: issue.debug,
      },
    },
  );
}

/**
 * True for an error that the same element may explain by a second one at once: after a refusal the rtspsrc of GStreamer
 * 1.20 first says that it could not be opened, and only then with which status.
 */
export function mayBeExplained({ factory, domain, code, details }: IssueEvent): boolean {
  const isOpening = domain === 'resource' && code === RESOURCE.openRead;
  return factory === 'rtspsrc' && isOpening && details?.fields['rtsp-status-code'] === undefined;
}

/** See errorOfIssue(). `role` is that of the node which posted the issue; undefined when it is no node's. */
export function codeOfIssue(issue: IssueEvent, role: Role | undefined): ErrorCode {
  const own = issue.details?.fields['sl-code'];
  if (isErrorCode(own)) return own;
  if (role !== undefined && SOURCE_ROLES.has(role)) {
    return codeOfRtspStatus(issue) ?? codeOfSource(issue);
  }
  if (role === 'infer') return codeOfModel(issue);
  return 'SL_PIPELINE_FAILED';
}

function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERROR_CODES, value);
}

/** rtspsrc puts the status of a refusal into the error's details (RFC 2326, 7.1.1). */
function codeOfRtspStatus(issue: IssueEvent): ErrorCode | undefined {
  const status = Number(issue.details?.fields['rtsp-status-code'] ?? 0);
  if (status >= 500) return 'SL_SOURCE_UNREACHABLE';
  switch (status) {
    case 401:
    case 403:
    case 407:
      return 'SL_SOURCE_UNAUTHORIZED';
    case 404:
    case 410:
    case 454:
      return 'SL_SOURCE_NOT_FOUND';
    // Not enough bandwidth: what cameras say that have no session left.
    case 453:
      return 'SL_SOURCE_UNREACHABLE';
    case 415:
    case 461:
      return 'SL_SOURCE_UNSUPPORTED';
    default:
      return undefined;
  }
}

function codeOfSource({ domain, code }: IssueEvent): ErrorCode {
  if (domain === 'resource') {
    switch (code) {
      case RESOURCE.notAuthorized:
        return 'SL_SOURCE_UNAUTHORIZED';
      case RESOURCE.notFound:
        return 'SL_SOURCE_NOT_FOUND';
      case RESOURCE.failed:
      case RESOURCE.busy:
      case RESOURCE.openRead:
      case RESOURCE.openWrite:
      case RESOURCE.openReadWrite:
        return 'SL_SOURCE_UNREACHABLE';
      default:
        return 'SL_SOURCE_BROKEN';
    }
  }
  if (domain === 'stream') {
    switch (code) {
      case STREAM.typeNotFound:
      case STREAM.wrongType:
        return 'SL_SOURCE_NOT_VIDEO';
      case STREAM.notImplemented:
      case STREAM.codecNotFound:
      case STREAM.decrypt:
      case STREAM.decryptNoKey:
        return 'SL_SOURCE_UNSUPPORTED';
      default:
        return 'SL_SOURCE_BROKEN';
    }
  }
  if (domain === 'core' && code === CORE.missingPlugin) return 'SL_SOURCE_UNSUPPORTED';
  return 'SL_PIPELINE_FAILED';
}

/** The detector refuses its model before the first frame; what fails later is the pipeline's. */
function codeOfModel({ domain, code }: IssueEvent): ErrorCode {
  switch (domain) {
    case 'resource':
      return code === RESOURCE.notFound ? 'SL_MODEL_NOT_FOUND' : 'SL_MODEL_INVALID';
    case 'library':
      if (code === LIBRARY.settings) return 'SL_MODEL_INVALID';
      return code === LIBRARY.init ? 'SL_BACKEND_UNSUPPORTED' : 'SL_PIPELINE_FAILED';
    case 'stream':
      return code === STREAM.wrongType ? 'SL_MODEL_INVALID' : 'SL_PIPELINE_FAILED';
    default:
      return 'SL_PIPELINE_FAILED';
  }
}
