import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Clock, StreamStateMachine } from '../../src/control/stream-state.ts';
import { STREAM_STATES } from '../../src/control/types.ts';

const LOST = { reason: { code: 'SL_SOURCE_BROKEN', message: 'lost' } } as const;

/** A wall clock that jumps about and a monotonic one that does not. */
function handClock(): Clock & { ms: number; wallMs: number } {
  const clock = {
    ms: 0,
    wallMs: 1_700_000_000_000,
    monotonicMs: () => clock.ms,
    now: () => new Date(clock.wallMs),
  };
  return clock;
}

test('the common way: pending, connecting, live, backoff, connecting, live, draining, stopped', () => {
  const clock = handClock();
  const machine = new StreamStateMachine(clock);
  assert.equal(machine.state, 'pending');
  assert.ok(machine.enter('connecting'));
  assert.equal(machine.attempt, 1);
  clock.ms = 1_500;
  const live = machine.enter('live', { session: 's1' });
  assert.deepEqual(live, { from: 'connecting', to: 'live', afterMs: 1_500 });
  assert.deepEqual([machine.attempt, machine.reconnects, machine.session], [0, 0, 's1']);
  assert.ok(machine.enter('backoff', { ...LOST, retryInMs: 2_000 }));
  assert.deepEqual(machine.reason, LOST.reason);
  assert.equal(machine.retryAt!.getTime(), clock.wallMs + 2_000);
  assert.ok(machine.enter('connecting'));
  // A new try does not hide why the last one failed; a picture does.
  assert.deepEqual(machine.reason, LOST.reason);
  assert.equal(machine.retryAt, undefined);
  assert.equal(machine.reconnects, 1);
  assert.ok(machine.enter('live', { session: 's2' }));
  assert.equal(machine.reason, undefined);
  assert.ok(machine.enter('draining'));
  assert.ok(machine.enter('stopped'));
});

test('live needs the session of a decoded frame, and trouble needs a reason', () => {
  const machine = new StreamStateMachine();
  machine.enter('connecting');
  assert.equal(machine.enter('live'), undefined);
  assert.equal(machine.enter('backoff'), undefined);
  assert.equal(machine.enter('rejected'), undefined);
  assert.equal(machine.state, 'connecting');
  assert.equal(machine.refused, 3);
});

test('a stream is never live without having been connecting', () => {
  for (const state of STREAM_STATES) {
    const machine = machineIn(state);
    if (machine === undefined) continue;
    const allowed = machine.enter('live', { session: 's' }) !== undefined;
    assert.equal(allowed, ['connecting', 'degraded', 'stalled'].includes(state), state);
  }
});

test('from draining only stopped follows, and late messages change nothing', () => {
  for (const state of STREAM_STATES) {
    const machine = new StreamStateMachine();
    machine.enter('connecting');
    machine.enter('draining');
    const allowed = machine.enter(state, { ...LOST, session: 's' }) !== undefined;
    assert.equal(allowed, state === 'stopped', state);
  }
});

test('ages are by the monotonic clock: a step of the wall clock does not show', () => {
  const clock = handClock();
  const machine = new StreamStateMachine(clock);
  clock.wallMs -= 3_600_000;
  clock.ms = 250;
  assert.equal(machine.ageMs, 250);
  assert.equal(machine.enter('connecting')!.afterMs, 250);
});

/** A machine in `state`, or undefined when no way of this test leads there. */
function machineIn(state: string): StreamStateMachine | undefined {
  const machine = new StreamStateMachine();
  const ways: Record<string, readonly (typeof STREAM_STATES)[number][]> = {
    disabled: ['disabled'],
    pending: [],
    preparing: ['preparing'],
    connecting: ['connecting'],
    degraded: ['connecting', 'live', 'degraded'],
    stalled: ['connecting', 'live', 'stalled'],
    backoff: ['connecting', 'backoff'],
    draining: ['draining'],
    stopped: ['stopped'],
    rejected: ['rejected'],
    quarantined: ['quarantined'],
  };
  const way = ways[state];
  for (const step of way ?? []) assert.ok(machine.enter(step, { ...LOST, session: 's' }), step);
  return way === undefined ? undefined : machine;
}
