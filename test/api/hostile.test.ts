import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { api, gate, RTSP } from './support.ts';

const SECRET = 'canary-hunter2';
const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;

/** Bodies of `POST /v1/streams`, each with the answer that is due. None may make a stream. */
const BODIES: readonly [name: string, body: unknown, status: number][] = [
  ['levels without end', nested(20_000), 400],
  ['33 levels', nested(33), 400],
  ['lists without end', '['.repeat(100_000) + ']'.repeat(100_000), 400],
  ['a key twice', '{"id":"a","id":"b","source":{"type":"rtsp","url":"rtsp://h/"}}', 400],
  ['a key twice, spelt in two ways', '{"id":"a","\\u0069d":"b","source":{}}', 400],
  ['__proto__', '{"id":"a","__proto__":{"x":1},"source":{"type":"rtsp","url":"rtsp://h/"}}', 400],
  ['constructor.prototype', '{"id":"a","constructor":{"prototype":{"x":1}}}', 400],
  [
    'a number beyond a double',
    '{"id":"a","source":{"type":"rtsp","url":"r","latencyMs":1e400}}',
    400,
  ],
  ['NaN', '{"id":"a","source":{"type":"rtsp","url":"r","latencyMs":NaN}}', 400],
  ['true for 1', { id: 'a', source: { ...RTSP, latencyMs: true } }, 400],
  ['"1" for 1', { id: 'a', source: { ...RTSP, latencyMs: '1' } }, 400],
  ['half a millisecond', { id: 'a', source: { ...RTSP, latencyMs: 0.5 } }, 400],
  ['a negative latency', { id: 'a', source: { ...RTSP, latencyMs: -1 } }, 400],
  ['threshold 1.0001', { id: 'a', source: RTSP, infer: { model: 'm', threshold: 1.0001 } }, 400],
  ['batch 0', { id: 'a', source: RTSP, infer: { model: 'm', batchSize: 0 } }, 400],
  ['interval 1e9', { id: 'a', source: RTSP, infer: { model: 'm', interval: 1e9 } }, 400],
  ['2^53 + 1', '{"id":"a","source":{"type":"rtsp","url":"r","latencyMs":9007199254740993}}', 400],
  ['a path as id', { id: '../../etc', source: RTSP }, 400],
  ['. as id', { id: '.', source: RTSP }, 400],
  ['no id', { source: RTSP }, 400],
  ['an empty id', { id: '', source: RTSP }, 400],
  ['an id of 300', { id: 'a'.repeat(300), source: RTSP }, 400],
  ['a quotation mark in the id', { id: 'a"', source: RTSP }, 400],
  ['a line break in the id', { id: 'a\r\nX: 1', source: RTSP }, 400],
  ['NUL in the id', { id: 'a\0', source: RTSP }, 400],
  ['a turned id', { id: 'a\u202e', source: RTSP }, 400],
  ['an emoji as id', { id: '🎥', source: RTSP }, 400],
  ['half a surrogate', '{"id":"\\ud800","source":{"type":"rtsp","url":"rtsp://h/"}}', 400],
  ['a model by its path', { id: 'a', source: RTSP, infer: { model: '/proc/self/environ' } }, 400],
  ['a model on a share', { id: 'a', source: RTSP, infer: { model: '\\\\host\\share' } }, 400],
  ['a source of a shell', { id: 'a', source: { type: 'exec', url: '/bin/sh' } }, 400],
  ['an element', { id: 'a', source: RTSP, element: 'shell' }, 400],
  ['a text of 10 kB', { id: 'a', source: RTSP, sensorId: 'x'.repeat(10_000) }, 400],
  ['1001 classes', { id: 'a', source: RTSP, infer: { model: 'm', classes: many(1001) } }, 400],
  [
    '1001 keys',
    { id: 'a', source: RTSP, ...Object.fromEntries(many(1001).map((k) => [k, 1])) },
    400,
  ],
  ['markup', { id: '<img onerror=alert(1)>', source: RTSP }, 400],
  ['a formula', { id: '=cmd|calc', source: RTSP }, 400],
  ['one byte over the limit', `{"id":"${'a'.repeat(256 * 1024 - 8)}"}`, 413],
  ['a list', [], 400],
  ['null', 'null', 400],
  ['a text', '"a"', 400],
  ['two documents', '{}{}', 400],
  ['cut short', '{"id":', 400],
  ['a byte order mark', '\ufeff{}', 400],
  ['nothing', '', 400],
];

function many(count: number): string[] {
  return Array.from({ length: count }, (_, n) => `k${n}`);
}

test('hostile bodies are refused with a problem, and nothing comes of them', async () => {
  const { post, app, created, get } = await api();
  for (const [name, body, status] of BODIES) {
    const reply = await post('/v1/streams', body);
    assert.equal(reply.statusCode, status, `${name}: ${reply.body.slice(0, 300)}`);
    assert.match(String(reply.headers['content-type']), /^application\/problem\+json/, name);
    assert.equal(reply.json().code, 'SL_REQUEST_INVALID', name);
    assert.ok(reply.body.length < 20_000, `${name}: the answer is no echo`);
  }
  assert.deepEqual(created, []);
  assert.equal((await get('/v1/streams')).json().items.length, 0);
  assert.equal(({} as { x?: number }).x, undefined);
  await app.close();
});

test('what a refusal says has no credentials in it', async () => {
  const { post, app } = await api();
  for (const body of [
    { id: 'a', source: { type: `rtsp://u:${SECRET}@h/`, url: 'x' } },
    { id: 'a', source: { ...RTSP, password: SECRET, latencyMs: 'x' } },
    { id: `rtsp://u:${SECRET}@h/`, source: RTSP },
    { id: 'a', source: { ...RTSP, password: [SECRET] } },
  ]) {
    const reply = await post('/v1/streams', body);
    assert.equal(reply.statusCode, 400);
    assert.doesNotMatch(reply.body, new RegExp(SECRET), reply.body);
  }
  await app.close();
});

test('media types, charsets and encodings that are not read are 415', async () => {
  const { send, app, created } = await api();
  const body = JSON.stringify({ id: 'a', source: RTSP });
  const types: Record<string, string>[] = [
    { 'content-type': 'text/plain' },
    { 'content-type': 'application/x-www-form-urlencoded' },
    { 'content-type': 'application/json; charset=utf-16' },
    { 'content-type': 'application/merge-patch+json' },
    { 'content-type': 'multipart/form-data; boundary=x' },
    { 'content-type': 'application/json', 'content-encoding': 'gzip' },
  ];
  for (const headers of types) {
    const reply = await send('POST', '/v1/streams', body, headers);
    assert.equal(reply.statusCode, 415, JSON.stringify(headers));
    assert.equal(reply.json().code, 'SL_REQUEST_INVALID');
  }
  const bomb = await app.inject({
    method: 'POST',
    url: '/v1/streams',
    headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
    payload: gzipSync(Buffer.alloc(1_000_000)),
  });
  assert.equal(bomb.statusCode, 415);
  assert.deepEqual(created, []);
  await app.close();
});

test('odd paths and methods are 404, 405 or 400, never 5xx', async () => {
  const { send, app } = await api();
  const cases = [
    ['GET', '/v1/streams/..%2f..%2fetc', 404],
    ['GET', '/v1/streams/%2e%2e', 404],
    ['GET', '/v1/streams/%00', 404],
    ['GET', `/v1/streams/${'a'.repeat(300)}`, 404],
    ['GET', '/v1/streams/%zz', 400],
    ['GET', '/v1/streams/', 400],
    ['GET', '/v2/streams', 404],
    ['GET', '/..%2fpackage.json', 404],
    ['GET', '/%2e%2e/package.json', 404],
    ['GET', '/../package.json', 404],
    ['POST', '/v1/nothing', 404],
    ['PUT', '/v1/streams', 405],
    ['DELETE', '/v1/workers', 405],
    ['PATCH', '/v1/jobs/1', 405],
    ['POST', '/v1/sinks', 405],
    ['DELETE', '/v1/pipelines/a/incidents/1', 405],
    ['POST', '/v1/streams/a/enable', 404],
    ['OPTIONS', '/v1/streams', 405],
  ] as const;
  for (const [method, path, status] of cases) {
    const reply = await send(method, path);
    assert.equal(reply.statusCode, status, `${method} ${path}: ${reply.body.slice(0, 200)}`);
    assert.match(String(reply.headers['content-type']), /^application\/problem\+json/, path);
    if (status === 405) assert.match(String(reply.headers.allow), /GET/);
    assert.equal(reply.headers['access-control-allow-origin'], undefined);
  }
  await app.close();
});

test('of 100 that make one id together, one does', async () => {
  const { post, put, app, created } = await api();
  const replies = await Promise.all(
    Array.from({ length: 100 }, () => post('/v1/streams', { id: 'one', source: RTSP })),
  );
  const statuses = replies.map(({ statusCode }) => statusCode).sort();
  assert.deepEqual(statuses, [201, ...Array.from({ length: 99 }, () => 409)]);
  assert.equal(created.length, 1);
  const puts = await Promise.all(
    Array.from({ length: 20 }, () => put('/v1/pipelines/gate', gate(), { 'if-none-match': '*' })),
  );
  assert.equal(puts.filter(({ statusCode }) => statusCode === 201).length, 1);
  assert.equal(puts.filter(({ statusCode }) => statusCode === 412).length, 19);
  await app.close();
});

/** What the server says to raw bytes, until it closes. */
async function raw(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect', { signal: AbortSignal.timeout(3000) });
  socket.write(bytes);
  return text(socket);
}

test('what is no request, or too long, is answered and the connection closed', async () => {
  const { app, created } = await api();
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as { port: number };
  const host = 'Host: a\r\n';
  const body = '{"id":"a"}';
  const cases: readonly [string, string, RegExp][] = [
    ['no HTTP', 'hello\r\n\r\n', /^HTTP\/1\.1 400 /],
    [
      'headers of 20 kB',
      `GET /v1/streams HTTP/1.1\r\n${host}X: ${'a'.repeat(20_000)}\r\n\r\n`,
      /^HTTP\/1\.1 431 /,
    ],
    [
      'a length that is none',
      `POST /v1/streams HTTP/1.1\r\n${host}Content-Length: x\r\n\r\n`,
      /^HTTP\/1\.1 400 /,
    ],
    [
      'a length and chunks',
      `POST /v1/streams HTTP/1.1\r\n${host}Content-Type: application/json\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      /^HTTP\/1\.1 400 /,
    ],
    [
      'a second request in the body',
      `POST /v1/streams HTTP/1.1\r\n${host}Connection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}DELETE /v1/streams/a HTTP/1.1\r\n${host}\r\n`,
      /^HTTP\/1\.1 400 (?!.*HTTP\/1\.1 20)/s,
    ],
  ];
  for (const [name, bytes, expected] of cases) {
    const answer = await raw(port, bytes);
    assert.match(answer, expected, name);
    assert.match(answer, /application\/problem\+json/, name);
  }
  assert.deepEqual(created, []);
  await app.close();
});
