import { childPointer, type ValueProblem } from '../common/check.ts';
import { Secret } from '../common/secret.ts';
import { type SourceLocation, splitUrl, type UrlKind } from './source-url.ts';
import type { FileSource, HttpSource, RtspSource, Source } from './specs.ts';

/** A source with its credentials taken out of the URL. */
export interface ResolvedRtspSource {
  readonly type: 'rtsp';
  /** Without user and password. */
  readonly location: string;
  readonly username?: string;
  readonly password?: Secret;
  readonly transport: 'tcp' | 'udp';
  readonly latencyMs: number;
}

export interface ResolvedHttpSource {
  readonly type: 'http';
  /** Without user and password. */
  readonly location: string;
  readonly username?: string;
  readonly password?: Secret;
}

export interface ResolvedFileSource {
  readonly type: 'file';
  readonly path: string;
  readonly pace: 'none' | 'realtime';
}

/** Frames that whoever runs the pipeline sends; no spec can ask for it. */
export interface ResolvedFramesSource {
  readonly type: 'frames';
  /** Unix socket on which the sender listens. */
  readonly socketPath: string;
}

export type ResolvedSource =
  | ResolvedRtspSource
  | ResolvedHttpSource
  | ResolvedFileSource
  | ResolvedFramesSource;

/** What `RtspSource` and `HttpSource` have in common. */
type UrlSource = Pick<RtspSource | HttpSource, 'url' | 'username' | 'password'>;

/** Whether frames come at their own pace, so that those the detector cannot take must be skipped. */
export function isLive(source: ResolvedSource): boolean {
  return source.type === 'rtsp' || (source.type === 'file' && source.pace === 'realtime');
}

/**
 * The URL with its credentials, for elements that take them there only. It is a secret wherever it differs from
 * `location`.
 */
export function locationWithCredentials({
  location,
  username,
  password,
}: ResolvedRtspSource | ResolvedHttpSource): string {
  if (username === undefined) return location;
  const secret = password === undefined ? '' : `:${encodeURIComponent(password.reveal())}`;
  return location.replace('://', () => `://${encodeURIComponent(username)}${secret}@`);
}

/** Resolves one source; pushes what is wrong with it to `problems` and returns undefined then. */
export function resolveSource(
  source: Source,
  pointer: string,
  problems: ValueProblem[],
): ResolvedSource | undefined {
  switch (source.type) {
    case 'rtsp':
      return resolveRtsp(source, pointer, problems);
    case 'http':
      return resolveUrl(source, 'http', pointer, problems);
    case 'file':
      return resolveFile(source, pointer, problems);
  }
}

function resolveRtsp(
  source: RtspSource,
  pointer: string,
  problems: ValueProblem[],
): ResolvedRtspSource | undefined {
  const resolved = resolveUrl(source, 'rtsp', pointer, problems);
  const { transport, latencyMs } = source;
  return resolved && { ...resolved, transport, latencyMs };
}

/** Splits the credentials off, which RTSP and web sources have alike. */
function resolveUrl<K extends UrlKind>(
  source: UrlSource,
  type: K,
  pointer: string,
  problems: ValueProblem[],
): (SourceLocation & { readonly type: K }) | undefined {
  const split = splitUrl(source.url, type);
  if (typeof split === 'string') {
    problems.push({ pointer: childPointer(pointer, 'url'), message: split });
    return undefined;
  }
  const credentials = mergeCredentials(source, split, pointer, problems);
  return credentials && { type, location: split.location, ...credentials };
}

function mergeCredentials(
  source: UrlSource,
  split: SourceLocation,
  pointer: string,
  problems: ValueProblem[],
): Omit<SourceLocation, 'location'> | undefined {
  const { username, password } = source;
  if (split.username !== undefined) {
    if (username !== undefined || password !== undefined) {
      const message = 'holds a user, and "username" or "password" is given too: use one of the two';
      problems.push({ pointer: childPointer(pointer, 'url'), message });
      return undefined;
    }
    const { location: _location, ...credentials } = split;
    return credentials;
  }
  if (username === undefined && password !== undefined) {
    problems.push({ pointer, message: '"password" is given without "username"' });
    return undefined;
  }
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password: new Secret(password) }),
  };
}

function resolveFile(
  source: FileSource,
  pointer: string,
  problems: ValueProblem[],
): ResolvedFileSource | undefined {
  if (source.path.includes('\0')) {
    problems.push({ pointer: childPointer(pointer, 'path'), message: 'holds a NUL character' });
    return undefined;
  }
  return { type: 'file', path: source.path, pace: source.pace };
}
