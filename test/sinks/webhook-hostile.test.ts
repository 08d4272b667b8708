import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { AddressPolicy } from '../../src/common/address-policy.ts';
import { checkValue } from '../../src/common/check.ts';
import { toSightlineError } from '../../src/common/errors.ts';
import { WebhookSink } from '../../src/sinks/webhook/sink.ts';
import { WebhookSinkSpec } from '../../src/sinks/webhook/spec.ts';
import { temporaryDir } from '../outbox/helpers.ts';
import { answer, HttpReceiver } from '../support/http-receiver.ts';
import { noOwnHosts, runWithOwnHosts } from '../support/own-hosts.ts';
import { TcpServer } from '../support/tcp-server.ts';
import { errorCode, eventRecord, NO_LIMIT, statuses, withPayload } from './samples.ts';

const OPEN = new AddressPolicy({ allowPrivate: true });
const MIB = 1024 * 1024;

function makeSink(context: TestContext, port: number, spec: object = {}): WebhookSink {
  const url = `http://127.0.0.1:${port}/`;
  const whole = { id: 'hook', type: 'webhook', kinds: ['event'], url, timeoutMs: 1000, ...spec };
  const sink = new WebhookSink(checkValue(whole, WebhookSinkSpec), { baseDir: '/', policy: OPEN });
  context.after(() => sink.close());
  return sink;
}

/** What is written to a connection once the head of a request has come, and whether it then ends. */
const ODD: Readonly<Record<string, readonly [text: string, code: string]>> = {
  'a change of protocol': [
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n',
    'SL_SINK_UNAVAILABLE',
  ],
  'no HTTP': ['SSH-2.0-OpenSSH_9.2\r\n', 'SL_SINK_UNAVAILABLE'],
  'a status that is none': ['HTTP/1.1 999999 Odd\r\n\r\n', 'SL_SINK_UNAVAILABLE'],
  'two lengths': [
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
    'SL_SINK_UNAVAILABLE',
  ],
  'a length and chunks': [
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    'SL_SINK_UNAVAILABLE',
  ],
  'a broken head': ['HTTP/1.1 200 OK\r\nno colon\r\n\r\n', 'SL_SINK_UNAVAILABLE'],
};

test('webhook takes no answer that is none for a delivery, and goes on afterwards', async (context) => {
  const server = await TcpServer.start(context);
  const sink = makeSink(context, server.port);
  for (const [what, [text, code]] of Object.entries(ODD)) {
    server.behave = (socket) => socket.write(text);
    const [result] = await sink.deliver([eventRecord(1)], NO_LIMIT);
    assert.equal(errorCode(result), code, what);
  }
  server.behave = (socket) => {
    for (let at = 0; at < 10_000; at++)
      socket.write('HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n');
  };
  const [hinted] = await sink.deliver([eventRecord(2)], NO_LIMIT);
  assert.equal(errorCode(hinted), 'SL_SINK_TIMEOUT');
  server.behave = (socket) => socket.write('HTTP/1.1 204 No Content\r\n\r\n');
  assert.deepEqual(statuses(await sink.deliver([eventRecord(3)], NO_LIMIT)), ['accepted']);
});

test('webhook stands a body that turns out broken, and a second answer nobody asked for', async (context) => {
  const server = await TcpServer.start(context);
  const sink = makeSink(context, server.port);
  const bodies = [
    'Transfer-Encoding: chunked\r\n\r\nzz\r\n',
    'Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\nzz\r\n',
    'Content-Length: 5\r\n\r\nab',
    'Content-Length: 2\r\n\r\nabHTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n',
    'Content-Length: 0\r\n\r\n\u0000\u0001\u0002',
  ];
  for (const body of bodies) {
    server.behave = (socket) => {
      socket.write(`HTTP/1.1 200 OK\r\n${body}`);
      setImmediate(() => socket.destroy());
    };
    for (const seq of [1, 2, 3]) {
      const [result] = await sink.deliver([eventRecord(seq)], NO_LIMIT);
      assert.ok(result !== undefined && result.status !== 'rejected', body);
    }
  }
  server.behave = (socket) => socket.write('HTTP/1.1 204 No Content\r\n\r\n');
  const [result] = await sink.deliver([eventRecord(4)], NO_LIMIT);
  assert.equal(result?.status, 'accepted');
});

test('webhook gets over receivers that answer without reading what they are sent', async (context) => {
  const server = await TcpServer.start(context);
  const sink = makeSink(context, server.port, { concurrency: 1, timeoutMs: 5000 });
  const big = withPayload(eventRecord(1), Buffer.from(`{"a":"${'x'.repeat(16 * MIB)}"}`));
  for (const status of ['413 Too Large', '503 Busy', '200 OK']) {
    server.behave = (socket) => {
      socket.pause();
      socket.write(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\n\r\n`);
    };
    await sink.deliver([big], NO_LIMIT);
  }
  server.behave = (socket) => {
    socket.resume();
    socket.write('HTTP/1.1 204 No Content\r\n\r\n');
  };
  assert.deepEqual(statuses(await sink.deliver([eventRecord(2)], NO_LIMIT)), ['accepted']);
});

test('webhook refuses tokens and headers that cannot be sent, and tells no one', () => {
  for (const spec of [
    { bearerToken: 'hidden-1\n' },
    { bearerToken: 'hidden-1\r\nX-A: b' },
    { bearerToken: 'hidden-1é' },
    { headers: { 'X-A': 'hidden-1\u0000' } },
    { headers: { TE: 'hidden-1' } },
  ]) {
    const context = { after: () => undefined } as unknown as TestContext;
    assert.throws(
      () => makeSink(context, 1, spec),
      (error) => {
        const { code, message } = toSightlineError(error);
        assert.equal(code, 'SL_CONFIG_INVALID');
        assert.doesNotMatch(message, /hidden/);
        return true;
      },
    );
  }
});

test('webhook puts nothing of a record into its headers that is not fit for one', async (context) => {
  const receiver = await HttpReceiver.start(context);
  const sink = makeSink(context, receiver.port, { envelope: 'cloudevents' });
  const odd = 'cam\r\nX-Injected: 1\u0000é😀%';
  const record = { ...eventRecord(1), streamId: odd, recordId: `${odd}/1` };
  assert.deepEqual(statuses(await sink.deliver([record], NO_LIMIT)), ['accepted']);
  const { headers } = receiver.requests[0]!;
  assert.equal(headers['x-injected'], undefined);
  for (const name of ['idempotency-key', 'sightline-record-id', 'ce-id']) {
    assert.equal(decodeURIComponent(String(headers[name])), `${odd}/1`, name);
  }
});

test('webhook waits an hour at most, whatever it is told', async (context) => {
  const receiver = await HttpReceiver.start(context);
  const sink = makeSink(context, receiver.port);
  const waits: Readonly<Record<string, number>> = {
    ['9'.repeat(400)]: 3_600_000,
    '99999999999': 3_600_000,
    'Fri, 31 Dec 9999 23:59:59 GMT': 3_600_000,
    'Thu, 01 Jan 1970 00:00:00 GMT': 0,
    '-1': 0,
    soon: 0,
  };
  for (const [wait, expected] of Object.entries(waits)) {
    const lasting = makeSink(context, receiver.port);
    receiver.behave = answer(429, { 'retry-after': wait });
    const [result] = await lasting.deliver([eventRecord(1)], NO_LIMIT);
    const { code, details } = toSightlineError((result as { error: Error }).error);
    assert.equal(code, 'SL_SINK_THROTTLED', wait);
    const { retryAfterMs = 0 } = details as { retryAfterMs?: number };
    assert.equal(retryAfterMs, expected, wait);
  }
  receiver.behave = answer(204);
  assert.deepEqual(statuses(await sink.deliver([eventRecord(1)], NO_LIMIT)), ['accepted']);
});

test('webhook calls what a name means now as far as it may, and nothing else it comes to mean', {
  skip: noOwnHosts,
}, (context) => {
  const dir = temporaryDir(context);
  const { status, stdout, stderr } = runWithOwnHosts('test/sinks/children/rebound.ts', dir);
  assert.equal(status, 0, stderr);
  const refused = 'SL_SINK_UNAVAILABLE egress';
  assert.deepEqual(JSON.parse(stdout), {
    said: ['accepted', refused, refused, 'accepted', 'accepted', refused],
    calls: { allowed: 3, forbidden: 0 },
  });
});
