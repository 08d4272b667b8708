import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startNvidiaRest } from '../../../src/api/nvidia/server.ts';
import { until } from '../../support/wait.ts';
import { answer, exchange, OK, request, result } from './raw.ts';
import { sensor, startFacade } from './support.ts';

const QUIT = '/api/v1/app/quit';
const YES = '{"app":{"app_quit":true}}';
const DENIED = [
  'HTTP/1.1 401 Unauthorized',
  'Access-Control-Allow-Origin: *',
  'Content-Type: text/plain',
  'Content-Length: 83',
  'WWW-Authenticate: Bearer',
  'Connection: close',
  '',
  result('401 Unauthorized', 'A bearer token is needed'),
].join('\r\n');
const NO_QUIT = answer(
  result('403 Forbidden', 'QUIT_FAIL, the admin token is needed'),
  '403 Forbidden',
);
const bearer = (token: string) => [`Authorization: Bearer ${token}`];

test('with a token every registered path asks for it; what does not exist stays 404', async (t) => {
  const { port, orchestrator } = await startFacade(t, { token: 'open-sesame' });
  const add = JSON.stringify(sensor('add', 'a', 'rtsp://h/1'));
  for (const headers of [
    [],
    bearer('wrong'),
    bearer('open-sesame2'),
    bearer(''),
    ['Authorization: Basic b3Blbi1zZXNhbWU='],
    ['Authorization: open-sesame'],
  ]) {
    assert.equal(await exchange(port, request('GET', '/live', undefined, headers)), DENIED);
    const text = request('POST', '/api/v1/stream/add', add, headers);
    assert.equal(await exchange(port, text), DENIED);
  }
  assert.match(await exchange(port, request('GET', '/nope')), /^HTTP\/1\.1 404 /);
  assert.deepEqual(orchestrator.listStreams(), []);
  const good = request('POST', '/api/v1/stream/add', add, bearer('open-sesame'));
  assert.equal(await exchange(port, good), answer(result(OK, 'STREAM_ADD_SUCCESS')));
});

test('app/quit needs the admin token, whatever else is asked for', async (t) => {
  const facade = await startFacade(t, { token: 'user', adminToken: 'boss' });
  const ask = (headers: readonly string[], body = YES) =>
    exchange(facade.port, request('POST', QUIT, body, headers));
  assert.equal(await ask([]), DENIED);
  assert.equal(await ask(bearer('user')), NO_QUIT);
  assert.equal(facade.quits(), 0);
  const done = answer(result(OK, 'QUIT_SUCCESS'));
  // NVIDIA's server calls that a success, too.
  assert.equal(await ask(bearer('boss'), '{"app":{"app_quit":false}}'), done);
  assert.equal(
    await ask(bearer('boss'), '{"app":{"app_quit":"x"}}'),
    answer(result('400 Bad Request', 'QUIT_FAIL, error: Value is not convertible to bool.')),
  );
  assert.equal(facade.quits(), 0);
  assert.equal(await ask(bearer('boss')), done);
  await until('it was told', 2_000, () => facade.quits() === 1);
});

test('app/quit is refused where no admin token is set, also on an open loopback', async (t) => {
  const facade = await startFacade(t);
  for (const headers of [[], bearer('x'), bearer('')]) {
    assert.equal(await exchange(facade.port, request('POST', QUIT, YES, headers)), NO_QUIT);
  }
  assert.equal(facade.quits(), 0);
});

test('without a token a web page cannot change anything; with one it may', async (t) => {
  const body = JSON.stringify(sensor('add', 'a', 'rtsp://h/1'));
  const page = ['Origin: https://evil.example'];
  const open = await startFacade(t);
  const refused = answer(
    result('403 Forbidden', 'Requests of web pages need a token (nvidiaRest.token)'),
    '403 Forbidden',
  );
  const add = (headers: readonly string[]) => request('POST', '/api/v1/stream/add', body, headers);
  assert.equal(await exchange(open.port, add(page)), refused);
  assert.deepEqual(open.orchestrator.listStreams(), []);
  const guarded = await startFacade(t, { token: 'user' });
  assert.equal(
    await exchange(guarded.port, add([...page, ...bearer('user')])),
    answer(result(OK, 'STREAM_ADD_SUCCESS')),
  );
});

test('an address that others reach is refused without a token; a taken port is SL_PORT_TAKEN', async (t) => {
  const facade = await startFacade(t);
  const options = {
    host: '0.0.0.0',
    port: 0,
    compat: 'honest' as const,
    maxStreams: 4,
    addTimeoutMs: 1_000,
    orchestrator: facade.orchestrator,
    logger: { warn: () => undefined } as never,
    notReadyBecause: () => [],
    onQuit: () => undefined,
  };
  for (const host of ['0.0.0.0', '::', '192.168.1.2', 'example.org', '127.0.0.1.example.org']) {
    await assert.rejects(startNvidiaRest({ ...options, host }), { code: 'SL_CONFIG_INVALID' });
  }
  const server = await startNvidiaRest({ ...options, token: 'x' });
  await server.close();
  await assert.rejects(startNvidiaRest({ ...options, host: '127.0.0.1', port: facade.port }), {
    code: 'SL_PORT_TAKEN',
  });
});
