import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IdempotencyStore } from '../../src/api/idempotency.ts';
import { SightlineError } from '../../src/common/errors.ts';
import { api, RTSP } from './support.ts';

const DOOR = { id: 'door', source: RTSP };

test('a POST with the same key gives the same answer once more, and does its work once', async () => {
  const { post, app, created, desired } = await api();
  const key = { 'idempotency-key': '"8e03978e-40d5"' };
  const first = await post('/v1/streams', DOOR, key);
  const again = await post('/v1/streams', DOOR, { 'idempotency-key': '8e03978e-40d5' });
  assert.equal(first.statusCode, 201);
  assert.equal(again.statusCode, 201);
  assert.equal(again.body, first.body);
  assert.equal(again.headers.location, '/v1/streams/door');
  assert.equal(again.headers.etag, first.headers.etag);
  assert.equal(again.headers['idempotency-replayed'], 'true');
  assert.equal(created.length, 1);
  const restarts = await Promise.all(
    Array.from({ length: 3 }, () =>
      post('/v1/pipelines/door/restart', undefined, { 'idempotency-key': 'r' }),
    ),
  );
  assert.ok(restarts.every(({ statusCode }) => [202, 409].includes(statusCode)));
  assert.equal(desired.jobs.length, 1);
  await app.close();
});

test('a key used for another request is refused, and so is one that is no key', async () => {
  const { post, app, created } = await api();
  const key = { 'idempotency-key': 'k' };
  await post('/v1/streams', DOOR, key);
  const other = await post('/v1/streams', { ...DOOR, id: 'other' }, key);
  assert.equal(other.statusCode, 422);
  assert.equal(other.json().code, 'SL_IDEMPOTENCY_MISMATCH');
  assert.equal((await post('/v1/pipelines/door/restart', undefined, key)).statusCode, 422);
  for (const bad of ['', 'a'.repeat(129), 'a b', '"open', 'ü']) {
    const reply = await post('/v1/streams', DOOR, { 'idempotency-key': bad });
    assert.equal(reply.statusCode, 400, bad);
  }
  assert.equal(created.length, 1);
  await app.close();
});

test('of 50 at once one works; the others are told to wait, and then get its answer', async () => {
  let release = () => {};
  const hold = new Promise<void>((resolve) => {
    release = resolve;
  });
  const { post, app, created } = await api({ hold });
  const key = { 'idempotency-key': 'k' };
  const first = post('/v1/streams', DOOR, key);
  const others = await Promise.all(
    Array.from({ length: 49 }, () => post('/v1/streams', DOOR, key)),
  );
  for (const reply of others) {
    assert.equal(reply.statusCode, 409);
    assert.equal(reply.json().code, 'SL_IN_PROGRESS');
    assert.equal(reply.headers['retry-after'], '1');
  }
  release();
  assert.equal((await first).statusCode, 201);
  assert.equal((await post('/v1/streams', DOOR, key)).statusCode, 201);
  assert.equal(created.length, 1);
  await app.close();
});

test('refusals are kept, failures are not: after those the key is free', async () => {
  const failing = await api({ fail: new SightlineError('SL_ADMISSION_DENIED', 'Too much') });
  const key = { 'idempotency-key': 'k' };
  const first = await failing.post('/v1/streams', DOOR, key);
  assert.equal(first.statusCode, 503);
  const second = await failing.post('/v1/streams', DOOR, key);
  assert.equal(second.headers['idempotency-replayed'], undefined);
  await failing.app.close();

  const refusing = await api({ fail: new SightlineError('SL_CONFLICT', 'There is one') });
  await refusing.post('/v1/streams', DOOR, key);
  const kept = await refusing.post('/v1/streams', DOOR, key);
  assert.equal(kept.statusCode, 409);
  assert.equal(kept.headers['idempotency-replayed'], 'true');
  assert.match(String(kept.headers['content-type']), /^application\/problem\+json/);
  await refusing.app.close();
});

test('what is kept is bounded in number, bytes and time; what is worked on stays', () => {
  let now = 0;
  const store = new IdempotencyStore({ maxKept: 3, maxBytes: 10, now: () => now });
  const answer = (body: string) => ({ status: 201, headers: {}, body });
  store.begin('open', 'f');
  for (const key of ['a', 'b', 'c', 'd']) {
    store.begin(key, 'f');
    store.end(key, answer('x'));
  }
  assert.ok(store.size <= 4, `${store.size} are kept`);
  assert.throws(() => store.begin('open', 'f'), { code: 'SL_IN_PROGRESS' });
  assert.equal(store.begin('a', 'f'), undefined, 'the oldest was forgotten');
  store.end('a', answer('x'.repeat(20)));
  store.begin('e', 'f');
  assert.equal(store.begin('a', 'f'), undefined, 'what is too large is forgotten');
  store.end('a', undefined);
  store.end('e', answer('y'));
  assert.equal(store.begin('e', 'f')?.body, 'y');
  now = 24 * 3_600_000 + 1;
  assert.equal(store.begin('e', 'f'), undefined, 'after a day the key is free');
});
