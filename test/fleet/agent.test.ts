import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OutboxRecord } from '../../src/common/delivery.ts';
import { FleetAgent } from '../../src/fleet/agent.ts';
import { BootClock } from '../../src/fleet/clock.ts';
import { pictureOf } from '../../src/fleet/fleet-picture.ts';
import { NodeFence } from '../../src/fleet/node-fence.ts';
import type { FleetStore } from '../../src/fleet/store.ts';
import { SqliteFleetStore } from '../../src/fleet/stores/sqlite.ts';
import { sightline } from '../../src/gen/frame.js';
import { leaseProblem } from '../../src/services/config/fleet.ts';
import { fenced } from '../../src/services/fleet/service.ts';
import { until } from '../support/wait.ts';

const TIMES = { leaseMs: 2_000, beatMs: 100, marginMs: 500, pollMs: 50 };
const LIMIT_MS = 15_000;

/** A box in this process; its streams are names with their specs. */
function boxOf(
  store: FleetStore,
  node: string,
  { refuse = new Set<string>(), detector = true } = {},
) {
  const running = new Map<string, unknown>();
  const events: string[] = [];
  const agent = new FleetAgent({
    ...{ store, clock: new BootClock(), node, times: TIMES, candidate: true, restMs: 0 },
    settings: { threshold: 0.1, dampening: 0.6 },
    ...{ detector, needsDetector: (spec) => spec['infer'] !== undefined },
    tell: (type) => events.push(type),
    host: {
      start: async (id, spec) => {
        if (refuse.has(id)) throw new Error('no such camera');
        running.set(id, spec);
      },
      change: async (id, spec) => void running.set(id, spec),
      stop: async (id) => void running.delete(id),
      load: () => ({ capacity: 4, used: 0, streams: new Map() }),
    },
  });
  return { agent, running, events };
}

test('streams come and go with their documents, move when a box leaves, and start with a higher epoch', async () => {
  const store = new SqliteFleetStore(':memory:');
  const a = boxOf(store, 'a');
  const b = boxOf(store, 'b');
  try {
    for (const id of ['one', 'two', 'three', 'four']) await a.agent.desired.put(id, { v: 1 });
    a.agent.start();
    b.agent.start();
    await until('all run', LIMIT_MS, () => a.running.size + b.running.size === 4);
    await until('both have some', LIMIT_MS, () => a.running.size === 2 && b.running.size === 2);

    assert.equal((await b.agent.desired.put('one', { v: 1 })).created, false);
    await b.agent.desired.put('one', { v: 2 });
    const specOf = () => a.running.get('one') ?? b.running.get('one');
    await until('a change arrives', LIMIT_MS, () => (specOf() as { v: number })?.v === 2);
    await a.agent.desired.remove('one');
    await b.agent.desired.put('one', { v: 3 });
    await until('also over a removal', LIMIT_MS, () => (specOf() as { v: number })?.v === 3);
    assert.equal(await a.agent.desired.remove('two'), true);
    assert.equal(await a.agent.desired.remove('two'), false);
    await until('one that is not wanted ends', LIMIT_MS, () => {
      return !a.running.has('two') && !b.running.has('two');
    });

    const moving = [...a.running.keys()];
    const epochs = new Map(moving.map((id) => [id, a.agent.fence.epochOf(id)!]));
    await a.agent.close();
    assert.equal(a.running.size, 0);
    await until('the other has them', LIMIT_MS, () => moving.every((id) => b.running.has(id)));
    for (const [id, epoch] of epochs) assert.ok(b.agent.fence.epochOf(id)! > epoch);
    const picture = await pictureOf(store);
    assert.equal(picture.leader, 'b');
    assert.deepEqual(
      picture.nodes.map(({ id, state, streams }) => [id, state, streams]),
      [
        ['a', 'released', 0],
        ['b', 'held', 3],
      ],
    );
    const two = picture.assignments.find(({ streamId }) => streamId === 'two');
    assert.equal(two?.state, 'unassigned', 'its epoch is kept for its return');
  } finally {
    await Promise.all([a.agent.close(), b.agent.close()]);
    await store.close();
  }
});

test('a stream that cannot start is told, and a box of the same name waits for the other', async () => {
  const store = new SqliteFleetStore(':memory:');
  const a = boxOf(store, 'a', { refuse: new Set(['broken']) });
  const twin = boxOf(store, 'a');
  try {
    await a.agent.desired.put('broken', {});
    a.agent.start();
    await until('it is told', LIMIT_MS, () => a.events.includes('fleet.stream.failed'));
    twin.agent.start();
    await until('the first has renewed', LIMIT_MS, async () => {
      return (await store.lease('node/a'))!.token === 1 && a.agent.held;
    });
    assert.equal(twin.agent.held, false);
    await a.agent.close();
    await until('the second has it', LIMIT_MS, () => twin.agent.held);
    await until('and runs what is to run', LIMIT_MS, () => twin.running.has('broken'));
  } finally {
    await Promise.all([a.agent.close(), twin.agent.close()]);
    await store.close();
  }
});

test('the door of the outbox: fleet streams pass while the lease is held, stamped; others always', () => {
  let held = true;
  const fence = new NodeFence(() => held);
  const taken: OutboxRecord[] = [];
  const accept = fenced(
    (records) => void taken.push(...records),
    () => fence,
  );
  const record = (streamId: string): OutboxRecord => ({
    ...{ kind: 'frame', streamId, recordId: `${streamId}/1`, atMs: 0 },
    payload: sightline.v1.Frame.encode({ streamId, recordId: `${streamId}/1` }).finish(),
  });
  fence.own('fleet', 7);
  accept([record('fleet'), record('local')]);
  const epochs = taken.map(({ payload }) => Number(sightline.v1.Frame.decode(payload).epoch));
  assert.deepEqual(epochs, [7, 0]);
  held = false;
  accept([record('fleet'), record('local')]);
  accept([record('fleet')]);
  assert.deepEqual(
    taken.slice(2).map(({ streamId }) => streamId),
    ['local'],
  );
  assert.equal(fence.refused, 2);
  fence.disown('fleet');
  accept([record('fleet')]);
  assert.equal(taken.length, 4);
});

test('a stream that needs a detector waits for a box that runs one, and leaves a receiver when it comes to need it', async () => {
  const store = new SqliteFleetStore(':memory:');
  const receiver = boxOf(store, 'receiver', { detector: false });
  const server = boxOf(store, 'server');
  const assignmentOf = async (id: string) =>
    (await pictureOf(store)).assignments.find(({ streamId }) => streamId === id);
  try {
    const { desired } = receiver.agent;
    await desired.put('plain', {});
    await desired.put('seen', { infer: {} });
    receiver.agent.start();
    await until('the receiver runs what it can', LIMIT_MS, () => receiver.running.has('plain'));
    await until('the other is told of', LIMIT_MS, () => {
      return receiver.events.includes('fleet.stream.failed');
    });
    await until('and seen', LIMIT_MS, async () => {
      return (await assignmentOf('seen'))?.state === 'unassigned';
    });
    server.agent.start();
    await until('a server runs it', LIMIT_MS, () => server.running.has('seen'));
    assert.equal(server.agent.fence.epochOf('seen'), 1);
    const { nodes } = await pictureOf(store);
    assert.deepEqual(
      nodes.map(({ id, detector }) => [id, detector]),
      [
        ['receiver', false],
        ['server', true],
      ],
    );

    await desired.put('plain', { infer: {} });
    await until('it moves', LIMIT_MS, () => server.running.has('plain'));
    assert.deepEqual([...receiver.running.keys()], []);
    const failed = receiver.events.filter((type) => type === 'fleet.stream.failed');
    assert.equal(failed.length, 1, 'it is told once');
  } finally {
    await Promise.all([receiver.agent.close(), server.agent.close()]);
    await store.close();
  }
});

test('times that leave no room for a renewal are refused', () => {
  const lease = { leaseMs: 10_000, beatMs: 3_000, marginMs: 2_000, pollMs: 2_000 };
  const problem = (more: Partial<typeof lease>) =>
    leaseProblem({ lease: { ...lease, ...more } } as Parameters<typeof leaseProblem>[0]);
  assert.equal(problem({}), undefined);
  assert.match(problem({ beatMs: 6_000 })!, /twice/);
  assert.match(problem({ marginMs: 7_000 })!, /together/);
});

test('the clock of leases goes on, and where there is no such file it is the monotonic one', () => {
  const clock = new BootClock();
  const first = clock.nowMs();
  assert.ok(first > 0 && clock.nowMs() >= first);
  clock[Symbol.dispose]();
  const other = new BootClock('/nowhere/uptime');
  assert.ok(Math.abs(other.nowMs() - performance.now()) < 1_000);
});
