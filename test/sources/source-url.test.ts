import assert from 'node:assert/strict';
import test from 'node:test';
import { redactUrl } from '../../src/common/redact-url.ts';
import { splitUrl } from '../../src/sources/source-url.ts';

/** URL, location, user, password. */
const GOOD: readonly [string, string, string?, string?][] = [
  ['rtsp://h/x', 'rtsp://h/x'],
  ['RTSP://Host.Example:8554', 'rtsp://Host.Example:8554'],
  ['rtsps://10.0.0.7/a/b?c=d&e', 'rtsps://10.0.0.7/a/b?c=d&e'],
  ['rtsp://[2001:db8::7]:554/x', 'rtsp://[2001:db8::7]:554/x'],
  ['rtsp://cam_1.local/x', 'rtsp://cam_1.local/x'],
  ['rtsp://u:p@h/x', 'rtsp://h/x', 'u', 'p'],
  ['rtsp://u@h/x', 'rtsp://h/x', 'u'],
  ['rtsp://u:@h/x', 'rtsp://h/x', 'u', ''],
  ['rtsp://u:a@b@h/x', 'rtsp://h/x', 'u', 'a@b'],
  ['rtsp://u:a:b@h/x', 'rtsp://h/x', 'u', 'a:b'],
  ['rtsp://us%40er:p%2Fw%23%C3%A9@h/x', 'rtsp://h/x', 'us@er', 'p/w#é'],
  ['rtsp://h/path@2x', 'rtsp://h/path@2x'],
];

for (const [url, location, username, password] of GOOD) {
  test(`splitUrl() takes ${url} apart`, () => {
    const split = splitUrl(url, 'rtsp');
    assert.ok(typeof split !== 'string', String(split));
    assert.equal(split.location, location);
    assert.equal(split.username, username);
    assert.equal(split.password?.reveal(), password);
    assert.doesNotMatch(JSON.stringify({ password: split.password }), /p%2F|a@b|p\/w/);
  });
}

const SCHEME = 'must begin with rtsp:// or rtsps://';
const CHARACTER =
  'holds a character that is not allowed in a URL (write it as %XX, for example %20 for a space)';
const HASH = 'must not hold a "#" (in a user name or password write %23)';
const HOST = 'has a host that is neither a name nor an address';
const PORT = 'has a port that is not between 1 and 65535';
const AUTHORITY =
  'has no valid host and port (in a user name or password write special characters as %XX)';
const DECODE =
  'has a user name or password that does not decode to text without control characters';

const BAD: readonly [string, string][] = [
  ['', SCHEME],
  ['camera', SCHEME],
  ['file:///etc/passwd', SCHEME],
  ['FILE:///etc/passwd', SCHEME],
  ['%66ile:///etc/passwd', SCHEME],
  ['http://h/x', SCHEME],
  ['rtspu://h/x', SCHEME],
  ['rtsp:/h/x', SCHEME],
  ['rtsp:h', SCHEME],
  [' exec:/bin/sh', CHARACTER],
  ['\texec:/bin/sh', CHARACTER],
  ['\rrtsp://h/x', CHARACTER],
  ['rtsp://h/x\n', CHARACTER],
  ['rtsp://h/ ! filesink location=/tmp/x', CHARACTER],
  ['rtsp://h/"x', CHARACTER],
  ['rtsp://h/\\x', CHARACTER],
  ['rtsp://h/`id`', CHARACTER],
  ['rtsp://h/\0', CHARACTER],
  ['rtsp://h/\u202e', CHARACTER],
  ['rtsp://h/😀', CHARACTER],
  ['rtsp://h/{x}', CHARACTER],
  ['rtsp://h/%zz', 'holds a "%" that is not followed by two hexadecimal digits'],
  ['rtsp://h/%', 'holds a "%" that is not followed by two hexadecimal digits'],
  ['rtsp://h/x#y', HASH],
  ['rtsp://u:p#w@h/x', HASH],
  ['rtsp:///x', 'has no host'],
  ['rtsp://u:p@/x', 'has no host'],
  ['rtsp://:554/x', 'has no host'],
  ['rtsp://:p@h/x', 'has a password or "@" but no user name'],
  ['rtsp://@h/x', 'has a password or "@" but no user name'],
  ['rtsp://h:0/x', PORT],
  ['rtsp://h:65536/x', PORT],
  ['rtsp://h:/x', PORT],
  ['rtsp://h:5x/x', AUTHORITY],
  ['rtsp://user:pa/ss@h/x', AUTHORITY],
  ['rtsp://[::1/x', AUTHORITY],
  ['rtsp://[nope]/x', HOST],
  ['rtsp://-h/x', HOST],
  ['rtsp://h;x/y', HOST],
  ['rtsp://h%20x/y', HOST],
  ['rtsp://u:%00@h/x', DECODE],
  ['rtsp://u%0d%0aX:p@h/x', DECODE],
  ['rtsp://u:%ff@h/x', DECODE],
  [`rtsp://h/${'x'.repeat(10_000)}`, 'is longer than 2048 characters'],
];

for (const [url, reason] of BAD) {
  test(`splitUrl() refuses ${JSON.stringify(url).slice(0, 60)}`, () => {
    assert.equal(splitUrl(url, 'rtsp'), reason);
  });
}

const REDACTED: readonly [string, string][] = [
  ['rtsp://u:p@h/x', 'rtsp://[redacted]@h/x'],
  ['rtsp://u@h/x', 'rtsp://[redacted]@h/x'],
  ['//u:p@h/x', '//[redacted]@h/x'],
  ['rtsp://u:p#w@h/x', 'rtsp://[redacted]@h/x'],
  ['rtsp://u:p/w?1@h/x', 'rtsp://[redacted]@h/x'],
  ['rtsp://u:p@w@h/x', 'rtsp://[redacted]@h/x'],
  ['rtsp://u:p\n@h/x', 'rtsp://[redacted]@h/x'],
  ['rtsp://h/x?user=a&password=hunter2&c=1', 'rtsp://h/x?user=a&password=[redacted]&c=1'],
  ['rtsp://h/user=a_password=hunter2_channel=1.sdp', 'rtsp://h/user=a_password=[redacted]'],
  ['rtsp://h/x?Token=t', 'rtsp://h/x?Token=[redacted]'],
  ['rtsp://h/x', 'rtsp://h/x'],
  ['me@example.com', 'me@example.com'],
];

for (const [url, shown] of REDACTED) {
  test(`redactUrl() shows ${JSON.stringify(shown)}`, () => {
    assert.equal(redactUrl(url), shown);
  });
}

test('splitUrl() takes web addresses apart by the same rules', () => {
  const split = splitUrl('HTTPS://u:p%40@h.example:8443/a.mp4?x=1', 'http');
  assert.ok(typeof split !== 'string', String(split));
  assert.equal(split.location, 'https://h.example:8443/a.mp4?x=1');
  assert.equal(split.password?.reveal(), 'p@');
  const scheme = 'must begin with http:// or https://';
  for (const url of ['rtsp://h/x', 'ftp://h/x', 'httpsx://h/x', 'file:///etc/passwd']) {
    assert.equal(splitUrl(url, 'http'), scheme, url);
  }
});
