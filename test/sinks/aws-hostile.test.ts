import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeliveryResult } from '../../src/common/delivery.ts';
import { toSightlineError } from '../../src/common/errors.ts';
import { awsError } from '../../src/sinks/aws/client.ts';
import type { Behaviour } from '../support/http-receiver.ts';
import { HostileAws, json, SECRETS, SERVICES, type Service } from './aws-hostile/sinks.ts';
import { errorCode, NO_LIMIT, statuses } from './samples.ts';

const COUNT = 3;
const MIB = 1024 * 1024;

function batchOf({ record }: Service) {
  return Array.from({ length: COUNT }, (_, seq) => record(seq));
}

/** Each is to be tried again, with one short line that says why and no secret. */
function assertRetried(results: readonly DeliveryResult[], what: string): void {
  assert.deepEqual(statuses(results), new Array(COUNT).fill('retry'), what);
  for (const result of results) {
    const { code, message, details } = toSightlineError((result as { error: Error }).error);
    assert.match(code, /^SL_SINK_/, what);
    assert.ok(message.length < 400, `${what}: ${message.length} characters`);
    assert.doesNotMatch(message, /[^\x20-\x7e]/, what);
    const shown = message + JSON.stringify(details);
    for (const secret of Object.values(SECRETS)) assert.ok(!shown.includes(secret), what);
  }
}

/** Answers that say nothing true of the entries. */
function nonsense({ list, taken }: Service): Readonly<Record<string, Behaviour>> {
  const all = (make: (at: number) => unknown): Behaviour =>
    json({ [list]: Array.from({ length: COUNT }, (_, at) => make(at)) });
  return {
    'a page of a proxy': json('<html><body>Welcome</body></html>', 200, {
      'content-type': 'text/html',
    }),
    'no body': json(''),
    null: json('null'),
    'a list': json([]),
    'a text': json('"taken"'),
    'half a text of JSON': json(`{"${list}":[{"`),
    'no list': json({}),
    'null for a list': json({ [list]: null }),
    'a text for a list': json({ [list]: 'abc' }),
    'an object for a list': json({ [list]: { length: COUNT } }),
    'nulls for entries': all(() => null),
    'numbers for entries': all((at) => at),
    'entries that say nothing': all(() => ({})),
    'errors with names of another type': all(() => ({ ErrorCode: 5, Id: 0, Code: {} })),
    'one entry too many': (response, request) => {
      // By place nothing is sure any more; SQS names each, and these it was not asked of.
      const entries = Array.from({ length: COUNT + 1 }, (_, at) => {
        return { ...taken(request, at), ...(list === 'Successful' ? { Id: `x${at}` } : {}) };
      });
      json({ [list]: entries })(response, request);
    },
    'half the body it announces': (response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write(`{"${list}":[`, () => response.socket?.destroy());
    },
    'a redirect': json('', 302, { location: 'http://169.254.169.254/latest/meta-data/' }),
    'an error without a name': json({}, 500),
    'an error whose name is an attack': json(
      { __type: `x\n\u001b[31m${'y'.repeat(100_000)}`, message: SECRETS.secretAccessKey },
      400,
    ),
    'an error with a code of its own': json({ __type: 'Odd', code: { toString: 1 } }, 400),
    'an error name of each entry that is an attack': all((at) => ({
      ...{ ErrorCode: `x\n\u001b[31m${'y'.repeat(10_000)}`, Id: String(at) },
    })),
  };
}

for (const service of SERVICES) {
  test(`${service.name}: an answer that makes no sense loses nothing and takes nothing`, async (context) => {
    const aws = await HostileAws.start(context, service);
    for (const [what, behave] of Object.entries(nonsense(service))) {
      aws.answer(behave);
      assertRetried(await aws.sink.deliver(batchOf(service), NO_LIMIT), what);
    }
    aws.answerWell();
    const results = await aws.sink.deliver(batchOf(service), NO_LIMIT);
    assert.deepEqual(statuses(results), new Array(COUNT).fill('accepted'));
  });

  test(`${service.name}: one entry that is not spoken of leaves what was taken in doubt`, async (context) => {
    const aws = await HostileAws.start(context, service);
    aws.answer((response, request) =>
      json({ [service.list]: [service.taken(request, 0)] })(response, request),
    );
    const results = await aws.sink.deliver(batchOf(service), NO_LIMIT);
    // SQS answers by the ids of the entries, the others by place.
    const first = service.name === 'sqs' ? 'accepted' : 'retry';
    assert.deepEqual(statuses(results), [first, 'retry', 'retry']);
  });

  test(`${service.name}: half an answer and then nothing ends with the attempt`, async (context) => {
    const aws = await HostileAws.start(context, service);
    const cut = new AbortController();
    aws.answer((response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write(`{"${service.list}":[`, () => cut.abort(new Error('attempt over')));
    });
    assertRetried(await aws.sink.deliver(batchOf(service), cut), 'cut');
    assert.equal(aws.puts, 1, 'the SDK does not begin once more');
  });

  for (const length of [undefined, 1024 * MIB]) {
    test(`${service.name}: an answer of ${length ?? 'endless'} bytes is not taken into memory`, async (context) => {
      const aws = await HostileAws.start(context, service);
      let sent = 0;
      aws.answer((response) => {
        const declared = length === undefined ? {} : { 'content-length': String(length) };
        response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1', ...declared });
        const flood = (): void => {
          while (!response.destroyed && response.write(Buffer.alloc(MIB, 0x20))) sent += MIB;
        };
        response.on('drain', flood);
        flood();
      });
      assertRetried(await aws.sink.deliver(batchOf(service), NO_LIMIT), 'endless');
      assert.ok(sent < 256 * MIB, `${sent} bytes were sent`);
    });
  }

  test(`${service.name}: refused signatures are a matter of keys`, async (context) => {
    const aws = await HostileAws.start(context, service);
    for (const name of ['InvalidSignatureException', 'SignatureDoesNotMatch', 'ExpiredToken']) {
      aws.answer(json({ __type: name, message: 'x' }, 400));
      const results = await aws.sink.deliver(batchOf(service), NO_LIMIT);
      assert.deepEqual(new Set(results.map(errorCode)), new Set(['SL_SINK_UNAUTHORIZED']), name);
    }
  });
}

test('no service of AWS can ask to be left alone for longer than an hour', () => {
  const waits = ['99999999999', '5', '-5', 'soon', '1e400', ''].map((wait) => {
    const $response = { headers: { 'retry-after': wait } };
    return awsError({ name: 'SlowDown', $response }, 'put').details['retryAfterMs'];
  });
  assert.deepEqual(waits, [3_600_000, 5000, undefined, undefined, 3_600_000, undefined]);
});

const SQS = SERVICES.find(({ name }) => name === 'sqs')!;

test('sqs: an entry that was taken and failed at once is tried again', async (context) => {
  const aws = await HostileAws.start(context, SQS);
  aws.answer((response, request) => {
    const Successful = batchOf(SQS).map((_, at) => SQS.taken(request, at));
    const Failed = [{ Id: '1', Code: 'InternalError', SenderFault: false }];
    json({ Successful, Failed })(response, request);
  });
  const results = await aws.sink.deliver(batchOf(SQS), NO_LIMIT);
  assert.deepEqual(statuses(results), ['accepted', 'retry', 'accepted']);
});

test('sqs: attributes that cannot be read blame no message', async (context) => {
  const aws = await HostileAws.start(context, SQS);
  for (const behave of [
    json('<html>too large</html>', 413, { 'content-type': 'text/html' }),
    json({ __type: 'com.amazonaws.sqs#BatchRequestTooLong' }, 400),
    json('"x"'),
    json({ Attributes: 'x' }),
    json({ Attributes: { MaximumMessageSize: '-1' } }),
    json({ Attributes: { MaximumMessageSize: '1' } }),
    json({ Attributes: { MaximumMessageSize: '1e12' } }),
  ]) {
    const { port } = aws.receiver;
    const sink = SQS.make(`http://127.0.0.1:${port}`);
    context.after(() => sink.close());
    aws.answerWell(behave);
    const results = await sink
      .deliver(batchOf(SQS), NO_LIMIT)
      .catch((error: unknown) => batchOf(SQS).map(() => ({ status: 'retry', error }) as const));
    for (const result of results) {
      assert.notEqual(result.status, 'rejected');
      if (result.status === 'retry')
        assert.equal(errorCode(result as never), 'SL_SINK_UNAVAILABLE');
    }
  }
});
