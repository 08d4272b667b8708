import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Reachable } from '../../src/control/cameras/reachable.ts';
import { specOf, startOrchestrator, untilState, untilTold } from './support.ts';

test('a camera is reachable while it reports, and not after three intervals; the wall clock does not matter', () => {
  let monotonicMs = 0;
  let wall = 0;
  const clock = { monotonicMs: () => monotonicMs, now: () => new Date(wall) };
  const camera = new Reachable(clock, { heartbeatIntervalMs: 1_000 });
  assert.deepEqual([camera.check(), camera.condition().reason], [false, 'Waiting']);
  assert.equal(camera.beat(), true);
  assert.equal(camera.beat(), false);
  wall = 3_600_000;
  monotonicMs = 3_000;
  assert.deepEqual([camera.check(), camera.status], [false, 'true']);
  wall = -3_600_000;
  monotonicMs = 3_001;
  assert.deepEqual([camera.check(), camera.check(), camera.status], [true, false, 'false']);
  assert.equal(camera.condition().observed!['silentMs'], 3_001);
  assert.equal(camera.beat(), true);
  camera.expect({});
  assert.deepEqual([camera.beat(), camera.condition().reason], [false, 'NotAsked']);
});

test('missing beats are an event and a condition, never a change of a stream', async (t) => {
  const { orchestrator } = await startOrchestrator(t);
  await orchestrator.createStream(specOf('cam', { sensorId: 'gate' }));
  await untilState(orchestrator, 'cam', 'live');
  const { cameras, events } = orchestrator;
  const { lastId } = events;
  const put = cameras.put('gate', { heartbeatIntervalMs: 100 }, { labels: { site: 'a' } });
  assert.deepEqual([put.created, put.view.generation], [true, 1]);
  assert.equal(cameras.put('gate', { heartbeatIntervalMs: 100 }).view.generation, 1);
  cameras.heartbeat('gate', { firmware: '1.2', token: 'canary-7' });
  const { status } = cameras.get('gate');
  assert.deepEqual(status.lastReport, { firmware: '1.2', token: '***' });
  assert.equal(status.conditions[0]!.status, 'true');
  assert.deepEqual(status.streams, [{ id: 'cam', state: 'live' }]);
  const told = await untilTold(orchestrator, 'camera.unreachable', lastId);
  assert.equal(told['cameraId'], 'gate');
  assert.equal(cameras.get('gate').status.conditions[0]!.status, 'false');
  assert.equal(orchestrator.getStream('cam').status.state, 'live');
  cameras.heartbeat('gate');
  const types = events.recent(100).filter(({ cameraId }) => cameraId !== undefined);
  assert.deepEqual(
    types.map(({ type }) => type),
    ['camera.created', 'camera.reachable', 'camera.unreachable', 'camera.reachable'],
  );
  assert.throws(() => cameras.put('gate', {}, { create: true }), {
    code: 'SL_PRECONDITION_FAILED',
  });
  assert.throws(() => cameras.remove('gate', { generation: 9 }), {
    code: 'SL_PRECONDITION_FAILED',
  });
  cameras.remove('gate', { generation: 1 });
  assert.throws(() => cameras.heartbeat('gate'), { code: 'SL_NOT_FOUND' });
});
