import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { AddressPolicy } from '../../src/common/address-policy.ts';
import { checkValue } from '../../src/common/check.ts';
import { type SightlineError, toSightlineError } from '../../src/common/errors.ts';
import { Delivery } from '../../src/outbox/delivery.ts';
import { Outbox } from '../../src/outbox/outbox.ts';
import { WebhookSink } from '../../src/sinks/webhook/sink.ts';
import { WebhookSinkSpec } from '../../src/sinks/webhook/spec.ts';
import { makeCertificates } from '../support/certificates.ts';
import { answer, HttpReceiver } from '../support/http-receiver.ts';
import { until } from '../support/wait.ts';
import { errorCode, eventRecord, frameRecord, NO_LIMIT, statuses, withPayload } from './samples.ts';

const OPEN = new AddressPolicy({ allowPrivate: true });
const KEYS = [
  { id: 'new', secret: 'a secret of today 1' },
  { id: 'old', secret: 'a secret of before 2' },
];

function makeSink(
  context: TestContext,
  spec: Readonly<Record<string, unknown>> & { url: string },
  policy: AddressPolicy = OPEN,
): WebhookSink {
  const whole = { id: 'hook', type: 'webhook', kinds: ['frame', 'event'], ...spec };
  const sink = new WebhookSink(checkValue(whole, WebhookSinkSpec), { baseDir: '/', policy });
  context.after(() => sink.close());
  return sink;
}

async function startBoth(
  context: TestContext,
  spec: Readonly<Record<string, unknown>> = {},
): Promise<{ receiver: HttpReceiver; sink: WebhookSink }> {
  const receiver = await HttpReceiver.start(context);
  const url = `http://127.0.0.1:${receiver.port}/hook?site=1`;
  return { receiver, sink: makeSink(context, { url, ...spec }) };
}

async function failure(promise: Promise<unknown>): Promise<SightlineError> {
  return promise.then(
    () => assert.fail('it did not throw'),
    (error: unknown) => toSightlineError(error),
  );
}

test('webhook posts each record with its id, signed by both keys, over connections that stay', async (context) => {
  const { receiver, sink } = await startBoth(context, {
    ...{ format: 'json', signing: { keys: KEYS }, bearerToken: 'token-1', concurrency: 2 },
    ...{ headers: { 'X-Site': 'north' }, envelope: 'cloudevents' },
  });
  const streams = ['cam-1', 'cam-2', 'cam-3'];
  const batch = Array.from({ length: 30 }, (_, seq) =>
    frameRecord(seq, { streamId: streams[seq % 3]! }),
  );
  assert.deepEqual(new Set(statuses(await sink.deliver(batch, NO_LIMIT))), new Set(['accepted']));
  assert.equal(receiver.requests.length, 30);
  assert.ok(receiver.connections <= 2, String(receiver.connections));
  for (const streamId of streams) {
    const ids = receiver.requests.map(({ headers }) => String(headers['idempotency-key']));
    const wanted = batch.filter((record) => record.streamId === streamId);
    assert.deepEqual(
      ids.filter((id) => id.startsWith(`${streamId}/`)),
      wanted.map(({ recordId }) => recordId),
    );
  }
  const { method, path, headers, body } = receiver.requests[0]!;
  assert.deepEqual([method, path, headers['x-site']], ['POST', '/hook?site=1', 'north']);
  assert.equal(headers['authorization'], 'Bearer token-1');
  assert.equal(headers['content-type'], 'application/json');
  assert.equal(headers['sightline-record-id'], headers['ce-id']);
  assert.equal(headers['sightline-schema-version'], '1');
  const time = String(headers['sightline-timestamp']);
  assert.ok(Math.abs(Number(time) - Date.now() / 1000) < 60);
  const wanted = KEYS.map(({ id, secret }) => {
    const hmac = createHmac('sha256', secret).update(`${time}.${body.toString('utf8')}`);
    return `keyid=${id},v1=${hmac.digest('hex')}`;
  });
  assert.equal(headers['sightline-signature'], wanted.join(' '));
});

test('webhook tells answers apart, follows no redirect, and waits as long as it is asked to', async (context) => {
  const { receiver, sink } = await startBoth(context);
  const codes = new Map<number, string>([
    ...([400, 413, 422].map((status) => [status, 'SL_SINK_REJECTED']) as [number, string][]),
    ...([401, 403].map((status) => [status, 'SL_SINK_UNAUTHORIZED']) as [number, string][]),
    ...([404, 500, 502, 503].map((status) => [status, 'SL_SINK_UNAVAILABLE']) as [
      number,
      string,
    ][]),
    ...[
      [429, 'SL_SINK_THROTTLED'] as [number, string],
      [504, 'SL_SINK_TIMEOUT'] as [number, string],
    ],
  ]);
  for (const [status, code] of codes) {
    receiver.behave = answer(status);
    const [result] = await sink.deliver([eventRecord(status)], NO_LIMIT);
    assert.equal(errorCode(result), code, String(status));
    assert.equal(result?.status, code === 'SL_SINK_REJECTED' ? 'rejected' : 'retry');
  }
  receiver.behave = answer(307, { location: 'http://169.254.169.254/latest/meta-data/' });
  const before = receiver.requests.length;
  const [redirected] = await sink.deliver([eventRecord(1)], NO_LIMIT);
  assert.equal(errorCode(redirected), 'SL_SINK_UNAVAILABLE');
  assert.equal(receiver.requests.length, before + 1);

  receiver.behave = answer(503, { 'retry-after': '1' });
  const [asked, unsent] = await sink.deliver([eventRecord(1), eventRecord(2)], NO_LIMIT);
  assert.deepEqual([errorCode(asked), errorCode(unsent)], Array(2).fill('SL_SINK_THROTTLED'));
  const early = await failure(sink.deliver([eventRecord(1)], NO_LIMIT));
  assert.equal(early.code, 'SL_SINK_THROTTLED');
  assert.ok(Number(early.details['retryAfterMs']) > 0);
  assert.equal(receiver.requests.length, before + 2);
  receiver.behave = answer(200);
  let taken = false;
  await until('the time is over', 5000, async () => {
    const results = await sink.deliver([eventRecord(1)], NO_LIMIT).catch(() => []);
    taken = results[0]?.status === 'accepted';
    return taken;
  });
});

test('webhook cuts a refused message in halves down to the record that causes it', async (context) => {
  const { receiver, sink } = await startBoth(context, { format: 'json', framesPerMessage: 32 });
  receiver.behave = (response, { body }) => {
    response.writeHead(body.includes('"cam-1/s1/13"') ? 422 : 200).end();
  };
  const batch = Array.from({ length: 32 }, (_, seq) => frameRecord(seq));
  const results = await sink.deliver(batch, NO_LIMIT);
  assert.deepEqual(
    results.flatMap(({ status }, index) => (status === 'accepted' ? [] : [`${index} ${status}`])),
    ['13 rejected'],
  );
  assert.equal(receiver.requests.length, 11);
  const ids = receiver.requests.map(({ headers }) => headers['idempotency-key']);
  assert.equal(new Set(ids).size, ids.length);
  const junk = withPayload(frameRecord(50), Buffer.from([0x0a, 0xff]));
  assert.deepEqual(statuses(await sink.deliver([junk, frameRecord(51)], NO_LIMIT)), [
    ...['rejected', 'accepted'],
  ]);
});

test('webhook ends in time with a receiver that is silent, slow, endless or resets', async (context) => {
  const { receiver, sink } = await startBoth(context, { timeoutMs: 400 });
  receiver.behave = () => undefined;
  const [silent] = await sink.deliver([eventRecord(1)], NO_LIMIT);
  assert.equal(errorCode(silent), 'SL_SINK_TIMEOUT');

  receiver.behave = (response) => {
    const { socket } = response;
    socket?.write('HTTP/1.1 200 OK\r\n');
    const timer = setInterval(() => socket?.write('x-more: 1\r\n'), 50);
    socket?.once('close', () => clearInterval(timer));
  };
  const [slow] = await sink.deliver([eventRecord(2)], NO_LIMIT);
  assert.equal(errorCode(slow), 'SL_SINK_TIMEOUT');

  receiver.behave = (response) => {
    response.writeHead(200);
    const flood = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(65536)));
    };
    response.on('drain', flood);
    flood();
  };
  assert.deepEqual(statuses(await sink.deliver([eventRecord(3)], NO_LIMIT)), ['accepted']);

  receiver.behave = ({ socket }) => socket?.destroy();
  const [reset] = await sink.deliver([eventRecord(4)], NO_LIMIT);
  assert.equal(errorCode(reset), 'SL_SINK_UNAVAILABLE');

  receiver.behave = (response) => {
    response.writeHead(200, { 'x-big': 'x'.repeat(100_000) }).end();
  };
  const [bigHead] = await sink.deliver([eventRecord(5)], NO_LIMIT);
  assert.equal(errorCode(bigHead), 'SL_SINK_UNAVAILABLE');

  receiver.behave = () => undefined;
  const cut = new AbortController();
  const held = sink.deliver([eventRecord(6)], cut);
  cut.abort(new Error('cut by the test'));
  assert.deepEqual(statuses(await held), ['retry']);

  // It took the record, and said so too late: the second try carries the same key.
  receiver.requests.length = 0;
  receiver.behave = (response) => setTimeout(() => response.writeHead(200).end(), 600);
  const [late] = await sink.deliver([eventRecord(7)], NO_LIMIT);
  assert.equal(errorCode(late), 'SL_SINK_TIMEOUT');
  receiver.behave = answer(200);
  assert.deepEqual(statuses(await sink.deliver([eventRecord(7)], NO_LIMIT)), ['accepted']);
  const keys = receiver.requests.map(({ headers }) => headers['idempotency-key']);
  assert.deepEqual(keys, ['cam-1/events/7', 'cam-1/events/7']);
});

test('webhook speaks TLS, shows its certificate, and refuses one it cannot check', async (context) => {
  const { ca, server, client } = makeCertificates(context);
  const receiver = await HttpReceiver.start(context, {
    ...{ ca: readFileSync(ca), cert: readFileSync(server.cert), key: readFileSync(server.key) },
    ...{ requestCert: true, rejectUnauthorized: true },
  });
  const url = `https://localhost:${receiver.port}/`;
  const mine = { certFile: client.cert, keyFile: client.key };
  const good = makeSink(context, { url, tls: { ...mine, caFile: ca } });
  assert.deepEqual(statuses(await good.deliver([eventRecord(1)], NO_LIMIT)), ['accepted']);
  for (const tls of [{ ...mine }, { caFile: ca }, { ...mine, caFile: '/nowhere/ca.pem' }]) {
    const [result] = await makeSink(context, { url, tls }).deliver([eventRecord(2)], NO_LIMIT);
    assert.equal(errorCode(result), 'SL_SINK_UNAVAILABLE');
  }
  assert.equal(receiver.requests.length, 1);
});

test('webhook calls no address that is not of the public internet, however it is written', async (context) => {
  const receiver = await HttpReceiver.start(context);
  const { port } = receiver;
  const closed = new AddressPolicy();
  const hosts = [
    ...['127.0.0.1', '2130706433', '0x7f.1', '017700000001', '127.1', '0', '[::1]', '[::]'],
    ...['[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[64:ff9b::7f00:1]', '169.254.169.254'],
    ...['10.0.0.8', '[fd00:ec2::254]', '[fe80::1]', '%31%32%37.0.0.1', '①②⑦.0.0.1'],
  ];
  for (const host of hosts) {
    const url = `http://${host}:${port}/`;
    assert.throws(() => makeSink(context, { url }, closed), { code: 'SL_CONFIG_INVALID' }, host);
  }
  const named = makeSink(context, { url: `http://localhost:${port}/` }, closed);
  const [result] = await named.deliver([eventRecord(1)], NO_LIMIT);
  assert.equal(errorCode(result), 'SL_SINK_UNAVAILABLE');
  assert.match((result as { error: Error }).error.message, /egress/);
  assert.deepEqual([receiver.requests.length, receiver.connections], [0, 0]);

  const listed = new AddressPolicy({ allow: ['127.0.0.0/8'] });
  const allowed = makeSink(context, { url: `http://localhost:${port}/` }, listed);
  assert.deepEqual(statuses(await allowed.deliver([eventRecord(1)], NO_LIMIT)), ['accepted']);
});

test('webhook refuses users in its URL and headers that it sets itself, and shows no secret', async (context) => {
  const url = 'http://127.0.0.1:1/hook?token=hidden-1';
  assert.throws(() => makeSink(context, { url: 'http://user:pass@127.0.0.1/' }), {
    code: 'SL_SPEC_INVALID',
  });
  for (const name of ['Host', 'Content-Length', 'Idempotency-Key', 'Sightline-Signature']) {
    assert.throws(() => makeSink(context, { url, headers: { [name]: '1' } }), {
      code: 'SL_CONFIG_INVALID',
    });
  }
  assert.throws(() => makeSink(context, { url, headers: { 'X-A': 'a\r\nb: c' } }), {
    code: 'SL_CONFIG_INVALID',
  });
  const sink = makeSink(context, {
    url,
    headers: { 'X-Key': 'hidden-2' },
    bearerToken: 'hidden-3',
  });
  const [result] = await sink.deliver([eventRecord(1)], NO_LIMIT);
  const { message, details } = toSightlineError((result as { error: Error }).error);
  assert.doesNotMatch(message + JSON.stringify(details), /hidden/);
});

test('a receiver that accepts connections and never answers opens the circuit, and gets everything later', async (context) => {
  const { receiver, sink } = await startBoth(context, { timeoutMs: 100 });
  const dir = mkdtempSync(join(tmpdir(), 'sightline-webhook-'));
  const outbox = await Outbox.open({ dir, sinks: [sink], limits: { commitIntervalMs: 0 } });
  const delivery = new Delivery({ outbox, sink, backoff: { baseMs: 10, capMs: 50 } });
  context.after(async () => {
    await delivery.close();
    await outbox.close();
    rmSync(dir, { recursive: true, force: true });
  });
  receiver.behave = () => undefined;
  delivery.start();
  for (let seq = 0; seq < 50; seq++) outbox.append(eventRecord(seq));
  await until('the circuit opens', 10_000, () => delivery.stats().circuit === 'open');
  assert.equal(delivery.stats().lastError?.code, 'SL_SINK_TIMEOUT');
  assert.equal(outbox.countsOf('hook').pending, 50);
  receiver.requests.length = 0;
  receiver.behave = answer(200);
  await until('all arrive', 10_000, () => outbox.countsOf('hook').pending === 0);
  const { accepted, delivered, deadLettered, shed } = outbox.countsOf('hook');
  assert.deepEqual([accepted, delivered, deadLettered, shed], [50, 50, 0, 0]);
  // An answer may take longer than the sink waits where others work: then there is a copy.
  const keys = new Set(receiver.requests.map(({ headers }) => headers['idempotency-key']));
  assert.deepEqual(
    [...keys],
    Array.from({ length: 50 }, (_, seq) => `cam-1/events/${seq}`),
  );
});
