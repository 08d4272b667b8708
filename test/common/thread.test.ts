import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ThreadClient } from '../../src/common/thread-client.ts';
import { until } from '../support/wait.ts';

export interface EchoCalls {
  echo: { args: Uint8Array; result: Uint8Array };
  /** Sets the second number, then holds the thread until the first is no longer 0. */
  hold: { args: Int32Array; result: undefined };
  hurry: { args: undefined; result: undefined };
  refuse: { args: undefined; result: undefined };
  die: { args: undefined; result: undefined };
  close: { args: undefined; result: undefined };
}

function start(t: TestContext, { closes = true, inTurn = false } = {}): ThreadClient<EchoCalls> {
  const thread = new ThreadClient<EchoCalls>({
    entry: new URL('./fixtures/echo-thread.ts', import.meta.url),
    what: 'The echo thread',
    workerData: { closes, inTurn },
    closeLimitMs: 200,
  });
  t.after(() => (thread.failed ? undefined : thread.close()));
  return thread;
}

test('calls are answered in order, and buffers change hands both ways', async (t) => {
  const thread = start(t);
  const first = Uint8Array.from([1, 2, 3]);
  const answers = await Promise.all([
    thread.call('echo', first, [first.buffer]),
    thread.call('echo', Uint8Array.from([4])),
  ]);
  assert.deepEqual(answers, [Uint8Array.from([1, 2, 3]), Uint8Array.from([4])]);
  assert.equal(first.byteLength, 0, 'the buffer was handed over');
});

test('a call that hurries overtakes those that wait, and no other does', async (t) => {
  const thread = start(t, { inTurn: true });
  const held = new Int32Array(new SharedArrayBuffer(8));
  const answered: string[] = [];
  const holding = thread.call('hold', held).then(() => answered.push('hold'));
  await until('the thread is held', 5_000, () => Atomics.load(held, 1) === 1);
  const calls = [
    holding,
    thread.call('echo', new Uint8Array(1)).then(() => answered.push('first echo')),
    thread.call('echo', new Uint8Array(2)).then(() => answered.push('second echo')),
    thread.call('hurry', undefined).then(() => answered.push('hurry')),
  ];
  Atomics.store(held, 0, 1);
  Atomics.notify(held, 0);
  await Promise.all(calls);
  assert.deepEqual(answered, ['hold', 'hurry', 'first echo', 'second echo']);
  assert.deepEqual(await thread.call('echo', Uint8Array.of(5)), Uint8Array.of(5));
});

test('an error of the thread arrives with its code, message and facts', async (t) => {
  await assert.rejects(start(t).call('refuse', undefined), {
    ...{ name: 'SightlineError', code: 'SL_SINK_REJECTED', message: 'No' },
    details: { why: 'told so' },
  });
});

test('a thread that dies fails what waits and what comes after', async (t) => {
  const thread = start(t);
  await assert.rejects(thread.call('die', undefined), {
    code: 'SL_CLOSED',
    message: 'The echo thread has ended',
  });
  assert.equal(thread.failed, true);
  await assert.rejects(thread.call('echo', new Uint8Array()), { code: 'SL_CLOSED' });
});

test('a thread that does not close is ended at the limit', async (t) => {
  const thread = start(t, { closes: false });
  await thread.call('echo', new Uint8Array());
  await thread.close();
  assert.equal(thread.failed, true);
});
