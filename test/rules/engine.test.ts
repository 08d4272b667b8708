import assert from 'node:assert/strict';
import test from 'node:test';
import { Stage } from './support.ts';

const APPEARS = { kind: 'class-appears', settleMs: 0, quietMs: 0 };

test('a wrong expression, and an id that is there twice, are told with their places', () => {
  const load = () =>
    new Stage(
      { ...APPEARS, where: 'object.nope > 1' },
      { ...APPEARS, id: 'other', where: 'size(object.zones)' },
      { kind: 'expression', id: 'other', expression: 'process.exit()' },
    );
  assert.throws(load, (error: Error & { code?: string; problems?: object }) => {
    assert.equal(error.code, 'SL_SPEC_INVALID');
    const told = JSON.stringify(error.problems);
    for (const part of ['"/0"', 'nope', '"/1"', 'int, not bool', '"/2/id"', '"/2"', 'process']) {
      assert.ok(told.includes(part), `${part} in ${told}`);
    }
    return true;
  });
});

test('frames that come late or again change nothing, and are counted', () => {
  const stage = new Stage({ kind: 'dwell', durationMs: 500 });
  const person = [{ id: '1' }];
  const old = stage.frame(person);
  stage.hold(300, person);
  const again = stage.frame(person);
  stage.engine.onFrame(again);
  assert.deepEqual(stage.engine.onFrame(again), []);
  assert.deepEqual(stage.engine.onFrame(old), []);
  stage.session = 'b';
  stage.show(person);
  assert.deepEqual(stage.engine.onFrame({ ...again, sequence: 99 }), [], 'of the session before');
  assert.deepEqual(stage.engine.onFrame({ ...again, atMs: Number.NaN }), []);
  const { late, unusable } = stage.engine.stats();
  assert.deepEqual({ late, unusable }, { late: 3, unusable: 1 });
});

test('a clock that jumps moves no duration', () => {
  const stage = new Stage({ kind: 'dwell', durationMs: 2000 });
  const person = [{ id: '1' }];
  stage.hold(1000, person);
  const hourMs = 3_600_000;
  const jumped = stage.frame(person);
  assert.deepEqual(stage.engine.onFrame({ ...jumped, atMs: jumped.atMs + hourMs }), []);
  assert.equal(stage.hold(2000, person).length, 1);
});

test('the cool-down counts for each object, and what was not told does not end', () => {
  const stage = new Stage(
    { id: 'dwell', kind: 'dwell', durationMs: 100, lostAfterMs: 200, cooldownMs: 5000 },
    { id: 'crowd', kind: 'crowd', count: 1, durationMs: 0, cooldownMs: 5000 },
  );
  const rules = (events: readonly { rule: string; type: string }[]) =>
    events.map(({ rule, type }) => `${rule} ${type}`);
  assert.deepEqual(rules(stage.hold(300, [{ id: '1' }])).sort(), [
    'crowd rule.started',
    'dwell rule.fired',
  ]);
  assert.deepEqual(rules(stage.hold(500, [])), ['crowd rule.ended']);
  assert.deepEqual(rules(stage.hold(300, [{ id: '1' }])), [], 'both cool down');
  assert.deepEqual(rules(stage.hold(300, [{ id: '2' }])), ['dwell rule.fired']);
  assert.deepEqual(rules(stage.hold(500, [])), [], 'its start was not told');
  assert.ok(stage.engine.stats().rules.every(({ suppressed }) => suppressed > 0));
});

test('rules apply to the streams they name', () => {
  const stage = new Stage(
    { ...APPEARS, id: 'exact', streams: ['door'] },
    { ...APPEARS, id: 'star', streams: ['site-*-gate'] },
  );
  const fired = (streamId: string) =>
    stage.show([{ class: 'car' }], { streamId }).map(({ rule }) => rule);
  assert.deepEqual(fired('door'), ['exact']);
  assert.deepEqual(fired('site-1-gate'), ['star']);
  assert.deepEqual(fired('site-gate'), [], 'nothing overlaps');
  assert.deepEqual(fired('door-2'), []);
});

test('a camera is offline after its time, and back with its next frame', () => {
  const stage = new Stage({ kind: 'camera-offline', durationMs: 5000, streams: ['cam', 'never'] });
  stage.hold(1000, []);
  stage.nowMs += 4900;
  const [never, ...others] = stage.engine.tick();
  assert.equal(never?.streamId, 'never');
  assert.deepEqual(others, []);
  stage.nowMs += 200;
  const [started] = stage.engine.tick();
  assert.equal(started?.streamId, 'cam');
  assert.equal(started.durationMs, 5100);
  assert.deepEqual(stage.engine.tick(), [], 'once');
  const [ended] = stage.show([]);
  assert.equal(ended?.type, 'rule.ended');
  assert.equal(ended.startedBy, started.id);
});

test('the same frames give the same ids; the picture before an event proves it', () => {
  const run = () => {
    const stage = new Stage({ kind: 'dwell', durationMs: 500, description: 'stays' });
    stage.show([{ id: '1' }], { imageRef: 'cam/2026/01/01/00/a-0.jpg' });
    return stage.hold(1000, [{ id: '1' }]);
  };
  const [event] = run();
  assert.deepEqual(run(), [event]);
  assert.equal(event?.evidence.imageRef, 'cam/2026/01/01/00/a-0.jpg');
  assert.equal(event.description, 'stays');
  const { from, to } = event.evidence.clip;
  assert.equal(Date.parse(to) - Date.parse(from), 10_000);
});
