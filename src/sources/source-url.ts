import { isIPv6 } from 'node:net';
import { Secret } from '../common/secret.ts';

/** What kind of source a URL is for: its scheme is that word, or the word with an s. */
export type UrlKind = 'rtsp' | 'http';

/** The URL of a source taken apart. */
export interface SourceLocation {
  /** The URL without user and password. */
  readonly location: string;
  readonly username?: string;
  readonly password?: Secret;
}

const MAX_LENGTH = 2048;
/** Every character RFC 3986 allows in a URL, reserved or not. No space, quote, backslash or control character. */
const URL_TEXT = /^[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%]*$/;
const BROKEN_ESCAPE = /%(?![0-9A-Fa-f]{2})/;
const PARTS = /^([a-z]+):\/\/([^/?#]*)([^#]*)$/i;
const HOST_NAME = /^[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252}[A-Za-z0-9_.])?$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const CONTROL = /[\u0000-\u001f\u007f]/;

/**
 * Takes `rtsp://user:password@host:554/path?query`, or the same with http, apart. Returns the reason as text where the URL is not acceptable;
 * the text never quotes the URL, so that no credential can leak through it.
 */
export function splitUrl(url: string, kind: UrlKind): SourceLocation | string {
  if (url.length > MAX_LENGTH) return `is longer than ${MAX_LENGTH} characters`;
  if (!URL_TEXT.test(url)) {
    return 'holds a character that is not allowed in a URL (write it as %XX, for example %20 for a space)';
  }
  if (BROKEN_ESCAPE.test(url)) return 'holds a "%" that is not followed by two hexadecimal digits';
  const [, scheme, authority, rest] = PARTS.exec(url) ?? [];
  if (authority === undefined || rest === undefined || !isScheme(scheme, kind)) {
    return url.includes('#')
      ? 'must not hold a "#" (in a user name or password write %23)'
      : `must begin with ${kind}:// or ${kind}s://`;
  }
  const at = authority.lastIndexOf('@');
  const host = authority.slice(at + 1);
  const hostProblem = findHostProblem(host);
  if (hostProblem !== undefined) return hostProblem;
  const location = `${scheme.toLowerCase()}://${host}${rest}`;
  if (at < 0) return { location };
  const credentials = splitUserInfo(authority.slice(0, at));
  return typeof credentials === 'string' ? credentials : { location, ...credentials };
}

function isScheme(text: string | undefined, kind: UrlKind): text is string {
  const scheme = text?.toLowerCase();
  return scheme === kind || scheme === `${kind}s`;
}

function splitUserInfo(userInfo: string): Omit<SourceLocation, 'location'> | string {
  const colon = userInfo.indexOf(':');
  const username = decode(colon < 0 ? userInfo : userInfo.slice(0, colon));
  const password = colon < 0 ? undefined : decode(userInfo.slice(colon + 1));
  if (username === undefined || (colon >= 0 && password === undefined)) {
    return 'has a user name or password that does not decode to text without control characters';
  }
  if (username === '') return 'has a password or "@" but no user name';
  return password === undefined ? { username } : { username, password: new Secret(password) };
}

function decode(text: string): string | undefined {
  try {
    const decoded = decodeURIComponent(text);
    return CONTROL.test(decoded) ? undefined : decoded;
  } catch {
    return undefined;
  }
}

function findHostProblem(hostAndPort: string): string | undefined {
  const match = /^(\[[^\]]*\]|[^:[\]]*)(?::(\d*))?$/.exec(hostAndPort);
  const [, host, port] = match ?? [];
  if (host === undefined) {
    return 'has no valid host and port (in a user name or password write special characters as %XX)';
  }
  if (host === '') return 'has no host';
  const valid = host.startsWith('[') ? isIPv6(host.slice(1, -1)) : HOST_NAME.test(host);
  if (!valid) return 'has a host that is neither a name nor an address';
  if (port === undefined) return undefined;
  const number = Number(port);
  return port !== '' && number >= 1 && number <= 65_535
    ? undefined
    : 'has a port that is not between 1 and 65535';
}
