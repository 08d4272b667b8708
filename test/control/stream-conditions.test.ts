import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventLog } from '../../src/control/event-log.ts';
import { SupervisedStream } from '../../src/control/supervised-stream.ts';
import type { StreamFacts } from '../../src/worker/protocol.ts';

const WORKER = {};

/** A stream whose time is in hand. */
function prepare() {
  const time = { ms: 0 };
  const clock = { monotonicMs: () => time.ms, now: () => new Date(time.ms) };
  const events = new EventLog();
  const stream = new SupervisedStream('cam', 'yard', events, clock);
  const condition = (type: string) => stream.status().conditions.find((one) => one.type === type)!;
  const report = (frames: number, facts?: StreamFacts) => {
    time.ms += 1_000;
    const counters = {
      ...{ framesArrived: frames, framesDecoded: frames, framesInferred: frames },
      ...{ framesPublished: frames, framesSkipped: 0, recordsDropped: 0 },
    };
    stream.takeStats(WORKER, { counters, facts, atMs: time.ms }, true);
  };
  const told = () => events.recent(1_000).map(({ type }) => type);
  return { time, events, stream, condition, report, told };
}

const GONE = { code: 'SL_SOURCE_UNREACHABLE', message: 'No route' } as const;

test('conditions are judged apart, with what was observed and since when', () => {
  const { stream, condition, report, time } = prepare();
  assert.deepEqual(
    stream.status().conditions.map(({ type, status }) => `${type} ${status}`),
    [
      ...['Connected unknown', 'Decoding false', 'Inferring false', 'Recording unknown'],
      ...['Publishing false', 'ClockSynced false'],
    ],
  );
  time.ms = 5_000;
  stream.enter('connecting');
  stream.enter('live', { session: 's1' });
  report(0, { clockQuality: 'arrival', lastFrameAgeMs: 20 });
  report(25, { clockQuality: 'arrival', lastFrameAgeMs: 20 });
  assert.deepEqual(condition('Decoding'), {
    ...{ type: 'Decoding', status: 'true', reason: 'Ok', message: 'Pictures are decoded' },
    since: new Date(5_000).toISOString(),
    observed: { decodedFps: 25, lastFrameAgeMs: 20 },
  });
  assert.deepEqual(condition('Inferring').observed, { inferredFps: 25 });
  assert.deepEqual(
    [condition('ClockSynced').status, condition('ClockSynced').reason],
    ['false', 'Arrival'],
  );
  report(50, { clockQuality: 'ntp' });
  assert.equal(condition('ClockSynced').status, 'true');
  for (let i = 0; i < 7; i++) report(50, { clockQuality: 'ntp' });
  assert.equal(condition('Publishing').status, 'false', 'nothing leaves any more');
  stream.enter('backoff', { reason: GONE, retryInMs: 1_000 });
  assert.deepEqual(condition('Connected'), {
    ...{ type: 'Connected', status: 'false', reason: GONE.code, message: GONE.message },
    since: new Date(time.ms).toISOString(),
    nextTryAt: new Date(time.ms + 1_000).toISOString(),
  });
  assert.equal(condition('Decoding').reason, 'NotConnected');
});

test('a stream whose pictures come and go flaps: said once, and no longer when it is calm', () => {
  const { stream, told, time } = prepare();
  for (let i = 0; i < 6; i++) {
    time.ms += 2_000;
    stream.enter('connecting');
    stream.enter('live', { session: `s${i}` });
    stream.enter('backoff', { reason: GONE, retryInMs: 1 });
  }
  assert.equal(stream.status().flapping, true);
  assert.equal(told().filter((type) => type === 'stream.flapping').length, 1);
  assert.equal(told().filter((type) => type === 'stream.live').length, 6, 'every one is told');
  time.ms += 301_000;
  assert.equal(stream.status().flapping, false);
});

test('a camera that stays away is told three times, then once in 30 s with the number left out', () => {
  const { stream, events, time } = prepare();
  for (let i = 0; i < 20; i++) {
    time.ms += 10_000;
    stream.enter('connecting');
    stream.enter('backoff', { reason: GONE, retryInMs: 1 });
  }
  assert.equal(stream.status().flapping, false, 'it has no pictures to come and go');
  const told = events.recent(1_000).filter(({ type }) => type === 'stream.backoff');
  const suppressed = told.map((event) => Number(event['suppressed'] ?? 0));
  assert.deepEqual(suppressed.slice(0, 5), [0, 0, 0, 2, 2]);
  const pending = suppressed.reduce((sum, one) => sum + one, 0);
  assert.ok(told.length + pending >= 18 && told.length < 10);
});
