import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { answer, BAD, exchange, OK, request, result } from './raw.ts';
import { startFacade } from './support.ts';

const LIVE =
  '{\n\t"live-info" : \n\t{\n\t\t"ds-liveness" : "YES"\n\t},\n\t"reason" : "GET_LIVE_INFO_SUCCESS",\n\t"status" : "HTTP/1.1 200 OK"\n}';
const NO_CACHE =
  'Cache-Control: no-cache, no-store, must-revalidate, private, max-age=0\r\nExpires: 0\r\nPragma: no-cache\r\nContent-Type: text/plain; charset=utf-8\r\n';
const UNSUPPORTED = result(BAD, 'Sensor API change string not supported');

/** civetweb's refusals carry the time. */
function undated(text: string): string {
  return text.replace(/^Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n/m, 'Date: *\r\n');
}

function refusal(status: string, body: string, version = '1.1'): string {
  return `HTTP/${version} ${status}\r\n${NO_CACHE}Date: *\r\nConnection: close\r\n\r\n${body}`;
}

const NOT_FOUND = refusal('404 Not Found', 'Error 404: Not Found\nNot Found');

// Requests and answers as recorded from civetweb 1.15 with a handler of the same kind.
for (const [line, expected] of [
  ['GET /live', answer(LIVE)],
  ['GET /live?x=1', answer(LIVE)],
  ['GET /%6cive', answer(LIVE)],
  ['GET /live/', NOT_FOUND],
  ['GET /live/x', NOT_FOUND],
  ['GET //live', NOT_FOUND],
  ['GET /LIVE', NOT_FOUND],
  ['GET /a/../live', NOT_FOUND],
  ['GET /nope', NOT_FOUND],
  ['GET /metrics', NOT_FOUND],
  ['GET /stream/add', NOT_FOUND],
  ['POST /stream/add', NOT_FOUND],
  ['GET /api/v2/live', NOT_FOUND],
  ['OPTIONS /live', NOT_FOUND],
  ['OPTIONS /api/v1/stream/add', NOT_FOUND],
  ['POST /live', answer('null')],
  ['PUT /live', answer('null')],
  ['DELETE /live', answer('null')],
  ['GET /api/v1/stream/add', answer('null')],
  ['PUT /api/v1/infer/set-interval', answer('null')],
  [
    'PATCH /live',
    refusal('405 Method Not Allowed', 'Error 405: Method Not Allowed\nPATCH method not allowed'),
  ],
] as const) {
  test(`${line} is answered to the byte`, async (t) => {
    const { port } = await startFacade(t);
    assert.equal(undated(await exchange(port, `${line} HTTP/1.1\r\nHost: h\r\n\r\n`)), expected);
  });
}

test('/version answers every method it knows, and names what this stands in for', async (t) => {
  const { port } = await startFacade(t);
  const body = '{\n\t"version" : "DeepStream-SDK 9.1 - REST API Version v1"\n}';
  assert.equal(body.length, 59);
  for (const method of ['GET', 'POST', 'PUT']) {
    assert.equal(await exchange(port, request(method, '/version')), answer(body));
  }
});

test('what is no HTTP is refused as civetweb refuses it', async (t) => {
  const { port } = await startFacade(t);
  const expected = refusal('400 Bad Request', 'Error 400: Bad Request\nBad request');
  assert.equal(undated(await exchange(port, 'hello\r\n\r\n')), expected);
  assert.equal(undated(await exchange(port, 'FOO /live HTTP/1.1\r\nHost: h\r\n\r\n')), expected);
});

test('a body is read only with a Content-Length; its type is not looked at; no JSON is null', async (t) => {
  const { port } = await startFacade(t);
  const path = '/api/v1/stream/add';
  const chunked = [
    `POST ${path} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n`,
    '14\r\n{"value":{"change":1}}'.slice(0, 24),
    '\r\n0\r\n\r\n',
  ];
  const unread = [
    'POST /api/v1/stream/add HTTP/1.1\r\nHost: h\r\n\r\n',
    request('POST', path, ''),
    request('POST', path, '{"value":'),
    request('POST', path, 'change=add'),
    request('POST', path, 'null'),
    request('POST', path, '{}'),
    request('POST', path, '7'),
    request('POST', path, '{"value":"add"}'),
    chunked.join(''),
  ];
  for (const text of unread) assert.equal(await exchange(port, text), answer(UNSUPPORTED), text);
});

test('a body in pieces is one body', async (t) => {
  const { port } = await startFacade(t);
  const text = request('POST', '/api/v1/enc/bitrate', '{"stream":{"stream_id":"0","bitrate":-1}}');
  const expected = result(BAD, 'BITRATE_UPDATE_FAIL, error: LargestInt out of UInt range');
  assert.equal(await exchange(port, [text.slice(0, 200), text.slice(200)]), answer(expected));
});

test('a body beyond 1 MiB is refused with 413, also one that is sent anyway or lies', async (t) => {
  const { port } = await startFacade(t);
  const expected = answer(
    result('413 Payload Too Large', 'The body is larger than 1048576 bytes'),
    '413 Payload Too Large',
  );
  const path = '/api/v1/stream/add';
  const large = `"${'x'.repeat(1024 * 1024)}"`;
  assert.equal(await exchange(port, request('POST', path, large)), expected);
  const waiting = `POST ${path} HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 999999999\r\n\r\n`;
  assert.equal(await exchange(port, waiting), expected);
  const fits = `"${'x'.repeat(1024 * 1024 - 2)}"`;
  assert.equal(await exchange(port, request('POST', path, fits)), answer(UNSUPPORTED));
});

test('who sends slowly, or never, is cut off, and others are served meanwhile', async (t) => {
  const { port } = await startFacade(t, { limits: { headersMs: 300, requestMs: 600 } });
  const slowHeaders = exchange(port, 'GET /live HTTP/1.1\r\nHost:');
  const slowBody = exchange(
    port,
    'POST /api/v1/stream/add HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n{',
  );
  assert.equal(await exchange(port, request('GET', '/live')), answer(LIVE));
  for (const cut of await Promise.all([slowHeaders, slowBody])) {
    assert.match(cut, /^(HTTP\/1\.1 408 Request Timeout\r\n|$)/);
  }
});

test('headers without end are refused', async (t) => {
  const { port } = await startFacade(t);
  const text = `GET /live HTTP/1.1\r\nHost: h\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`;
  assert.match(await exchange(port, text), /^HTTP\/1\.1 431 /);
});

test('a client that goes away in the middle harms nobody', async (t) => {
  const { port } = await startFacade(t);
  for (const part of ['P', 'POST /api/v1/stream/add HTTP/1.1\r\nContent-Length: 50\r\n\r\n{"va']) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    await new Promise<void>((done) => socket.write(part, () => done()));
    socket.resetAndDestroy();
  }
  assert.equal(await exchange(port, request('GET', '/live')), answer(LIVE));
});

test('the recorded success body is 67 bytes', () => {
  assert.equal(result(OK, 'STREAM_ADD_SUCCESS').length, 67);
});
