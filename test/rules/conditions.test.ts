import assert from 'node:assert/strict';
import test from 'node:test';
import { Stage } from './support.ts';

const LEFT_HALF = [
  [0, 0],
  [0.5, 0],
  [0.5, 1],
  [0, 1],
];
const inside = { id: '7', at: [0.2, 0.5] } as const;
const outside = { id: '7', at: [0.8, 0.5] } as const;

test('zone-enter fires once for each time an object comes in and stays for a moment', () => {
  const stage = new Stage({ kind: 'zone-enter', zone: LEFT_HALF, settleMs: 300 });
  assert.deepEqual(stage.hold(1000, [outside]), []);
  assert.deepEqual(stage.hold(200, [inside]), [], 'a flicker');
  assert.deepEqual(stage.hold(1000, [outside]), []);
  const events = stage.hold(2000, [inside]);
  assert.equal(events.length, 1);
  assert.equal(events[0]!.type, 'rule.fired');
  assert.equal(events[0]!.durationMs, 300);
  assert.deepEqual(
    events[0]!.objects.map(({ id, class: label }) => [id, label]),
    [['7', 'person']],
  );
  stage.hold(1000, [outside]);
  assert.equal(stage.hold(1000, [inside]).length, 1, 'again');
});

test('zone-exit tells who left and who was lost inside', () => {
  const stage = new Stage({ kind: 'zone-exit', zone: 'door', settleMs: 200, lostAfterMs: 500 });
  const there = { id: '1', zones: ['door'] };
  stage.hold(1000, [there]);
  const left = stage.hold(1000, [{ id: '1' }]);
  assert.deepEqual(
    left.map(({ details }) => details),
    [{ reason: 'left' }],
  );
  stage.hold(1000, [{ id: '2', zones: ['door'] }]);
  const lost = stage.hold(1000, []);
  assert.deepEqual(
    lost.map(({ details, objects }) => [details, objects[0]!.id]),
    [[{ reason: 'lost' }, '2']],
  );
});

test('line-crossing tells directions of its own line, and counts within a window', () => {
  const line = [
    [0.5, 0],
    [0.5, 1],
  ];
  const stage = new Stage(
    { id: 'each', kind: 'line-crossing', line },
    { id: 'out', kind: 'line-crossing', line, direction: 'right-to-left' },
    { id: 'three', kind: 'line-crossing', line, count: 3, windowMs: 1000 },
  );
  const walk = (id: string, from: number, to: number) => [
    ...stage.show([{ id, at: [from, 0.5] }]),
    ...stage.show([{ id, at: [to, 0.5] }]),
  ];
  // Along the line, which runs down, its left is where x is greater.
  assert.deepEqual(
    walk('1', 0.8, 0.2).map(({ rule, details }) => [rule, details]),
    [['each', { direction: 'left-to-right' }]],
  );
  assert.deepEqual(
    walk('2', 0.2, 0.8).map(({ rule }) => rule),
    ['each', 'out'],
  );
  const third = walk('3', 0.2, 0.8).find(({ rule }) => rule === 'three');
  assert.equal(third?.count, 3);
  assert.equal(third?.objects.length, 3);
  walk('4', 0.2, 0.8);
  stage.hold(1000, []);
  walk('5', 0.2, 0.8);
  assert.equal(
    walk('6', 0.2, 0.8).some(({ rule }) => rule === 'three'),
    false,
    'the fourth is out of the window',
  );
});

test('a way beside the line, or along it, crosses nothing', () => {
  const line = [
    [0.5, 0.4],
    [0.5, 0.6],
  ];
  const stage = new Stage({ kind: 'line-crossing', line });
  stage.show([{ id: '1', at: [0.2, 0.9] }]);
  assert.deepEqual(stage.show([{ id: '1', at: [0.8, 0.9] }]), []);
  stage.show([{ id: '2', at: [0.2, 0.5] }]);
  assert.deepEqual(stage.show([{ id: '2', at: [0.4, 0.5] }]), []);
});

test('line-crossing takes what the analytics of the stream counted', () => {
  const stage = new Stage({ kind: 'line-crossing', line: 'gate' });
  stage.show([{ id: '1' }]);
  const events = stage.show([{ id: '1', lines: ['gate'] }]);
  assert.equal(events.length, 1);
  assert.equal(events[0]!.details, undefined);
});

test('dwell fires once for each stay, over short gaps', () => {
  const stage = new Stage({ kind: 'dwell', zone: LEFT_HALF, durationMs: 3000, lostAfterMs: 1000 });
  assert.deepEqual(stage.hold(2000, [inside]), []);
  stage.hold(800, [outside]);
  const events = stage.hold(5000, [inside]);
  assert.equal(events.length, 1);
  assert.equal(events[0]!.durationMs, 3000);
  stage.hold(1500, [outside]);
  assert.equal(stage.hold(3500, [inside]).length, 1, 'a new stay');
});

test('crowd starts and ends', () => {
  const stage = new Stage({ kind: 'crowd', count: 2, durationMs: 500, classes: ['person'] });
  const two = [{ id: '1' }, { id: '2' }, { id: '3', class: 'dog' }];
  stage.hold(400, two);
  assert.deepEqual(stage.show([{ id: '1' }]), [], 'too short');
  const [started, ...more] = stage.hold(2000, two);
  assert.equal(started?.type, 'rule.started');
  assert.equal(started.count, 2);
  assert.deepEqual(more, []);
  const [ended] = stage.hold(1000, [{ id: '1' }]);
  assert.equal(ended?.type, 'rule.ended');
  assert.equal(ended.startedBy, started.id);
  assert.equal(ended.since, started.since);
});

test('object-left waits until its owner is gone, and tells a place once', () => {
  const rule = { kind: 'object-left', durationMs: 2000, classes: ['suitcase'] };
  const stage = new Stage(rule);
  const bag = { id: 'b', class: 'suitcase', at: [0.5, 0.5] } as const;
  const owner = { id: 'p', at: [0.55, 0.5] } as const;
  assert.deepEqual(stage.hold(4000, [bag, owner]), [], 'somebody is with it');
  const events = stage.hold(4000, [bag, { ...owner, at: [0.95, 0.5] }]);
  assert.equal(events.length, 1);
  assert.equal(events[0]!.objects[0]!.id, 'b');
  stage.hold(1000, [bag, owner]);
  assert.deepEqual(stage.hold(4000, [bag]), [], 'told already');
  assert.equal(stage.hold(4000, [{ ...bag, at: [0.1, 0.9] }]).length, 1, 'another place');
});

test('object-absent starts after its time and ends with the first frame that shows one', () => {
  const stage = new Stage({ kind: 'object-absent', durationMs: 1000, classes: ['dog'] });
  stage.hold(1000, [{ class: 'dog' }]);
  const [started] = stage.hold(2000, [{ class: 'person' }]);
  assert.equal(started?.type, 'rule.started');
  assert.equal(stage.show([{ class: 'dog' }])[0]?.type, 'rule.ended');
});

test('class-appears tells the first after a quiet time', () => {
  const stage = new Stage({ kind: 'class-appears', settleMs: 200, quietMs: 2000 });
  assert.equal(stage.hold(3000, [{ class: 'car' }]).length, 1);
  stage.hold(1000, []);
  assert.deepEqual(stage.hold(1000, [{ class: 'car' }]), [], 'it was away for too short');
  stage.hold(2500, []);
  assert.equal(stage.hold(1000, [{ class: 'car' }]).length, 1);
});

test('an expression looks at all objects that are meant', () => {
  const stage = new Stage({
    kind: 'expression',
    where: 'object.attributes["colour"] == "red"',
    expression: 'size(objects) >= 2 && objects.exists(o, o.class == "car")',
  });
  const red = { attributes: { colour: 'red' } };
  assert.deepEqual(stage.show([{ class: 'car', ...red }, { class: 'bus' }]), []);
  const [started] = stage.show([
    { class: 'car', ...red },
    { class: 'bus', ...red },
  ]);
  assert.equal(started?.type, 'rule.started');
  const { errors, lastError } = stage.engine.stats().rules[0]!;
  assert.equal(errors, 1, 'the bus without a colour');
  assert.match(lastError ?? '', /colour/);
});
