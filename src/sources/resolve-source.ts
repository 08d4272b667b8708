import { childPointer, type ValueProblem } from '../common/check.ts';
import { Secret } from '../common/secret.ts';
import { type RtspLocation, splitRtspUrl } from './rtsp-url.ts';
import type { FileSource, RtspSource, Source } from './specs.ts';

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

export interface ResolvedFileSource {
  readonly type: 'file';
  readonly path: string;
  readonly pace: 'none' | 'realtime';
}

export type ResolvedSource = ResolvedRtspSource | ResolvedFileSource;

/** Whether frames come at their own pace, so that those the detector cannot take must be skipped. */
export function isLive(source: ResolvedSource): boolean {
  return source.type === 'rtsp' || source.pace === 'realtime';
}

/** Resolves one source; pushes what is wrong with it to `problems` and returns undefined then. */
export function resolveSource(
  source: Source,
  pointer: string,
  problems: ValueProblem[],
): ResolvedSource | undefined {
  return source.type === 'rtsp'
    ? resolveRtsp(source, pointer, problems)
    : resolveFile(source, pointer, problems);
}

function resolveRtsp(
  source: RtspSource,
  pointer: string,
  problems: ValueProblem[],
): ResolvedRtspSource | undefined {
  const split = splitRtspUrl(source.url);
  if (typeof split === 'string') {
    problems.push({ pointer: childPointer(pointer, 'url'), message: split });
    return undefined;
  }
  const credentials = mergeCredentials(source, split, pointer, problems);
  if (credentials === undefined) return undefined;
  const { transport, latencyMs } = source;
  return { type: 'rtsp', location: split.location, ...credentials, transport, latencyMs };
}

function mergeCredentials(
  source: RtspSource,
  split: RtspLocation,
  pointer: string,
  problems: ValueProblem[],
): Omit<RtspLocation, 'location'> | undefined {
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
