import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ErrorCode, SightlineError } from '../../src/common/errors.ts';
import { Circuit } from '../../src/outbox/circuit.ts';
import { Pace } from '../../src/outbox/pace.ts';

function failure(code: ErrorCode = 'SL_SINK_UNAVAILABLE', details = {}): SightlineError {
  return new SightlineError(code, 'by the test', { details });
}

/** A circuit whose waits are their upper bounds, at a time the test sets. */
function circuitAt(): { circuit: Circuit; clock: { ms: number } } {
  const clock = { ms: 0 };
  const backoff = { baseMs: 500, capMs: 60_000, random: () => 1 };
  const circuit = new Circuit({ backoff, authProbeMs: 60_000, nowMs: () => clock.ms });
  return { circuit, clock };
}

test('a circuit opens after five failures in a row and closes after a probe that succeeds', () => {
  const { circuit } = circuitAt();
  const waits = [1, 2, 3, 4].map(() => circuit.fail(failure()));
  assert.deepEqual([waits, circuit.state], [[500, 1000, 2000, 4000], 'closed']);
  circuit.fail(failure());
  assert.equal(circuit.state, 'open');
  assert.equal(circuit.begin(), true);
  assert.equal(circuit.state, 'half-open');
  circuit.succeed();
  assert.deepEqual([circuit.state, circuit.health, circuit.begin()], ['closed', 'ok', false]);
});

test('a circuit opens when more than half of 20 calls within 30 s fail, though no five follow each other', () => {
  const { circuit, clock } = circuitAt();
  const calls = (count: number, gapMs: number): void => {
    for (let call = 0; call < count && circuit.state === 'closed'; call++) {
      clock.ms += gapMs;
      if (call % 3 === 0) circuit.succeed();
      else circuit.fail(failure());
    }
  };
  calls(60, 2000);
  assert.equal(circuit.state, 'closed', 'fewer than 20 calls in 30 s');
  clock.ms += 60_000;
  calls(19, 100);
  assert.equal(circuit.state, 'closed', '19 calls');
  calls(3, 100);
  assert.equal(circuit.state, 'open');
});

test('a flapping sink is left alone longer and longer until it is well for 30 s', () => {
  const { circuit, clock } = circuitAt();
  const waits: number[] = [];
  for (let flap = 0; flap < 10; flap++) {
    waits.push(circuit.fail(failure()));
    circuit.succeed();
    clock.ms += 1000;
  }
  assert.ok(waits[9]! >= 8_000, `${waits.join()}`);
  circuit.succeed();
  clock.ms += 30_000;
  circuit.succeed();
  assert.equal(circuit.fail(failure()), 500, 'forgotten');
});

test('a sink that fails one call in twenty is not left alone for long', () => {
  const { circuit, clock } = circuitAt();
  let longest = 0;
  for (let call = 1; call < 400; call++) {
    clock.ms += 100;
    if (call % 20 === 0) longest = Math.max(longest, circuit.fail(failure()));
    else circuit.succeed();
  }
  assert.equal(longest, 500);
});

test('credentials that are refused pause the sink; what it asks for when it throttles is given', () => {
  const { circuit } = circuitAt();
  assert.equal(circuit.fail(failure('SL_SINK_UNAUTHORIZED')), 60_000);
  assert.deepEqual([circuit.health, circuit.state], ['paused', 'open']);
  circuit.succeed();
  assert.equal(circuit.fail(failure('SL_SINK_THROTTLED')), 0, 'the first: a slower pace alone');
  assert.equal(circuit.fail(failure('SL_SINK_THROTTLED')), 2000);
  assert.equal(circuit.fail(failure('SL_SINK_THROTTLED', { retryAfterMs: 9000 })), 9000);
});

test('a sink that allows 50 calls a second gets nine tenths of that for ten minutes, without a storm', () => {
  const pace = new Pace();
  const { circuit, clock } = circuitAt();
  const allowed = 50;
  let tokens = 10;
  let refilledMs = 0;
  let taken = 0;
  let refused = 0;
  const minutes = 10 * 60_000;
  while (clock.ms < minutes) {
    pace.begin(clock.ms);
    tokens = Math.min(10, tokens + ((clock.ms - refilledMs) / 1000) * allowed);
    refilledMs = clock.ms;
    // A call takes 10 ms: left alone it would be called twice as often as it allows.
    clock.ms += 10;
    if (tokens >= 1) {
      tokens--;
      taken++;
      pace.succeeded();
      circuit.succeed();
      clock.ms = Math.max(clock.ms, pace.nextMs());
    } else {
      refused++;
      pace.throttled();
      clock.ms = Math.max(clock.ms + circuit.fail(failure('SL_SINK_THROTTLED')), pace.nextMs());
    }
  }
  const most = (minutes / 1000) * allowed;
  assert.ok(taken > 0.9 * most, `${taken} of ${most}`);
  assert.ok(refused < 0.1 * taken, `${refused} refused, ${taken} taken`);
});

test('a pace limits nothing until a sink throttles, and nothing again later', () => {
  const pace = new Pace();
  pace.begin(100);
  pace.succeeded();
  assert.equal(pace.nextMs(), 0);
  pace.throttled();
  assert.ok(pace.nextMs() > 100);
  for (let call = 1; call < 200; call++) {
    pace.begin(100 + call * 250);
    pace.succeeded();
  }
  assert.equal(pace.nextMs(), 0);
});
