import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { SightlineError } from '../../src/common/errors.ts';
import { Admission } from '../../src/control/admission/admission.ts';
import { coresOfBox } from '../../src/control/admission/cores.ts';
import {
  costsOf,
  estimate,
  NO_DETECTOR,
  NOT_DECODED,
  type StreamCost,
  type StreamSample,
  type WorkerSample,
} from '../../src/control/admission/cost.ts';
import { Governor } from '../../src/control/admission/governor.ts';
import { relaxed, throttled } from '../../src/control/admission/intervals.ts';
import type { AdmissionSettings } from '../../src/control/admission/settings.ts';
import { EventLog } from '../../src/control/event-log.ts';
import { memoryLogger, temporaryFolder } from './support.ts';

function sample(id: string, more: Partial<StreamSample> = {}): StreamSample {
  return {
    ...{ id, priority: 50, model: 'm', asked: 0, imposed: 0, decodedFps: 20, inferredFps: 20 },
    ...{ decodeMs: 2, inferMs: 30 },
    ...more,
  };
}

function cost(id: string, more: Partial<StreamCost> = {}): StreamCost {
  return { ...sample(id), used: 0.7, demand: 0.7, perInference: 0.03, ...more };
}

test('a worker’s cores are shared out by the work of its streams; what was passed over is demand', () => {
  const streams = [sample('full'), sample('busy', { inferredFps: 10 })];
  const [full, busy] = costsOf({ cores: 1, streams });
  assert.ok(full!.used > busy!.used && Math.abs(full!.used + busy!.used - 1) < 1e-9);
  assert.equal(full!.demand, full!.used);
  // Half of its looks are missing: as many as it had.
  assert.ok(Math.abs(busy!.demand - busy!.used - busy!.perInference * 10) < 1e-9);
  assert.ok(Math.abs(busy!.perInference - full!.perInference) < 1e-9);
  const [asked] = costsOf({ cores: 1, streams: [sample('asked', { inferredFps: 10, asked: 1 })] });
  assert.equal(asked!.demand, asked!.used, 'what was asked to be passed over is no demand');
  const idle = { decodedFps: 0, inferredFps: 0 };
  const [a, b] = costsOf({ cores: 0.4, streams: [sample('a', idle), sample('b', idle)] });
  assert.deepEqual([a!.used, b!.used, a!.perInference], [0.2, 0.2, 0]);
});

test('a new stream is thought to cost what the middle one of its kind does, else what the table says', () => {
  const measured = [0.9, 0.3, 0.5].map((demand, index) => cost(`s${index}`, { demand }));
  assert.equal(estimate({ model: 'm', interval: 0, gpu: false }, measured), 0.5);
  const known = estimate({ model: 'centernet-512x384', interval: 0, gpu: false }, measured);
  assert.ok(Math.abs(known - 0.9) < 1e-9);
  const rare = estimate({ model: 'centernet-512x384', interval: 9, gpu: false }, []);
  assert.ok(rare < known / 4);
  assert.equal(estimate({ model: 'centernet-512x384', interval: 0, gpu: true }, []), 0.05);
  assert.equal(estimate({ model: NOT_DECODED, interval: 0, gpu: false }, measured), 0.0075);
  assert.equal(estimate({ model: NO_DETECTOR, interval: 0, gpu: false }, measured), 0.05);
});

test('the least priority is throttled first, evenly, and no more than needed', () => {
  const costs = [cost('low-1', { priority: 10 }), cost('low-2', { priority: 10 }), cost('high')];
  assert.deepEqual([...throttled(costs, 0.2)], [['low-1', 1]]);
  assert.deepEqual([...throttled(costs, 0.5)].sort(), [
    ['low-1', 1],
    ['low-2', 1],
  ]);
  const all = throttled(costs, 100);
  assert.deepEqual([...all.values()], [29, 29, 29]);
  assert.deepEqual([...throttled([cost('x', { perInference: 0 })], 1)], []);
});

test('what is given back goes to the highest priority, a step at a time, if there is room', () => {
  const costs = [
    cost('low', { priority: 10, imposed: 7, inferredFps: 2.5 }),
    cost('high', { priority: 90, imposed: 3, inferredFps: 5 }),
  ];
  assert.deepEqual([...relaxed(costs, 0.2)], [['high', 1]]);
  assert.deepEqual([...relaxed(costs, 0.1)], [], 'five more looks a second cost 0.15');
  const last = cost('high', { imposed: 1, inferredFps: 10 });
  assert.deepEqual([...relaxed([last], 1)], [['high', 0]]);
  const asked = cost('high', { imposed: 3, asked: 1, inferredFps: 5 });
  assert.deepEqual([...relaxed([asked], 1)], [['high', 0]], 'its own interval is enough');
});

test('a box that cannot give a step back without being full again waits longer each time', () => {
  const governor = new Governor();
  let imposed = 0;
  const changes: [second: number, interval: number][] = [];
  for (let second = 0; second < 1_500; second += 1) {
    const rate = 20 / (imposed + 1);
    // What it is thought to cost is too little, so giving back is always too early.
    const used = 0.9 + rate * 0.06;
    const costs = [cost('s', { imposed, inferredFps: rate, perInference: 0.01 })];
    for (const [, interval] of governor.decide(second * 1_000, used, 1.7, costs)) {
      imposed = interval;
      changes.push([second, interval]);
    }
  }
  const raised = changes.filter(([, interval], index) => interval > (changes[index - 1]?.[1] ?? 0));
  const gaps = raised.slice(1).map(([second], index) => second - raised[index]![0]);
  assert.ok(changes.length <= 25, JSON.stringify(changes));
  assert.ok(gaps.at(-1)! > gaps[0]! * 2, JSON.stringify(gaps));
});

test('a short peak throttles nothing', () => {
  const governor = new Governor();
  const at = (second: number, used: number) =>
    governor.decide(second * 1_000, used, 1.8, [cost('s')]).size;
  assert.deepEqual([at(0, 2), at(4, 2), at(5, 1), at(6, 2), at(10, 2)], [0, 0, 0, 0, 0]);
  assert.equal(at(11, 2), 1);
});

/** A box of two cores whose workers are as told, looked at by hand. */
function box(settings: AdmissionSettings) {
  const state = { nowMs: 0, workers: [] as WorkerSample[], imposed: new Map<string, number>() };
  const events = new EventLog();
  const admission = new Admission({
    ...{ settings, cores: 2, events, logger: memoryLogger().logger },
    monotonicMs: () => state.nowMs,
    workers: () => state.workers,
    impose: async (id, interval) => {
      state.imposed.set(id, interval);
      return true;
    },
  });
  const seconds = async (count: number) => {
    for (let i = 0; i < count; i += 1) {
      state.nowMs += 1_000;
      admission.look();
      await Promise.resolve();
    }
  };
  return { admission, events, state, seconds };
}

const PLANNED = { id: 'new', model: 'm', interval: 0, gpu: false };

test('reject: a stream that does not fit is refused with the numbers; what was promised counts', async () => {
  const { admission, state, seconds } = box({ policy: 'reject', maxCpu: 0.9 });
  state.workers = [{ cores: 1, streams: [sample('a'), sample('b')] }];
  await seconds(10);
  assert.equal(admission.view().streams.length, 2);
  admission.admit([PLANNED]);
  assert.throws(
    () => admission.admit([{ ...PLANNED, id: 'more' }]),
    (error) => {
      assert.ok(error instanceof SightlineError);
      assert.equal(error.code, 'SL_ADMISSION_DENIED');
      const { needed, limit, cores } = error.details;
      assert.deepEqual([needed, limit, cores], [0.5, 1.8, 2]);
      assert.match(error.message, /'more'.*0\.5 cores.*of 1\.8 .*2 in the box/);
      return true;
    },
  );
  const off = box({ policy: 'off', maxCpu: 0.1 });
  off.admission.admit([PLANNED]);
});

test('degrade: the stream of least priority gets an interval, with the numbers, and loses it again', async () => {
  const { admission, events, state, seconds } = box({ policy: 'degrade', maxCpu: 0.9 });
  admission.admit([PLANNED, { ...PLANNED, id: 'x' }, { ...PLANNED, id: 'y' }]);
  state.workers = [
    { cores: 1.2, streams: [sample('low', { priority: 1 })] },
    { cores: 0.8, streams: [sample('high', { priority: 99 })] },
  ];
  await seconds(12);
  assert.deepEqual([...state.imposed], [['low', 1]]);
  const told = events.recent().find(({ type }) => type === 'stream.throttled')!;
  const { streamId, interval, limit, cores } = told;
  assert.deepEqual([streamId, interval, limit, cores], ['low', 1, 1.8, 2]);
  const less = { priority: 1, imposed: 1, inferredFps: 10 };
  state.workers = [{ cores: 0.4, streams: [sample('low', less)] }];
  await seconds(40);
  assert.deepEqual([...state.imposed], [['low', 0]]);
  assert.ok(events.recent().some(({ type }) => type === 'stream.unthrottled'));
});

test('the quota of the control group is the box, its own or that of one around it', (t) => {
  const root = temporaryFolder(t);
  const put = (path: string, text: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  assert.equal(coresOfBox(root), availableParallelism());
  put('proc/self/cgroup', '0::/a/b\n');
  put('sys/fs/cgroup/a/b/cpu.max', 'max 100000\n');
  assert.equal(coresOfBox(root), availableParallelism());
  put('sys/fs/cgroup/a/cpu.max', '50000 100000\n');
  assert.equal(coresOfBox(root), 0.5);
});
