import assert from 'node:assert/strict';
import { statfsSync } from 'node:fs';
import { test } from 'node:test';
import { RECORD_KINDS, type RecordKind } from '../../src/common/delivery.ts';
import { OutboxClock } from '../../src/outbox/outbox-clock.ts';
import { excessBytes, isRefused, pressureOf } from '../../src/outbox/pressure.ts';
import { metricsOf } from '../support/outbox-metrics.ts';
import {
  ALL,
  ackAll,
  assertConserved,
  idsOf,
  openOutbox,
  record,
  temporaryDir,
  until,
} from './helpers.ts';

const EVERYTHING = { id: 'all', kinds: ['frame', 'image', 'event'] } as const;
const SPARE = { id: 'spare', kinds: ['frame'], required: false } as const;
const DAY_S = 24 * 3600;
const DAY_MS = DAY_S * 1000;

test('records are shed in the declared order: pictures, what best-effort sinks have, frames; events never', async (context) => {
  const outbox = await openOutbox(context, {
    dir: temporaryDir(context),
    sinks: [EVERYTHING, SPARE],
    limits: { maxBytes: 400_000, cacheBytes: 0 },
  });
  let next = 0;
  const fill = async (count: number, kind: RecordKind): Promise<number> => {
    const payload = Buffer.alloc(1000);
    let taken = 0;
    for (let index = 0; index < count; index++) {
      if (outbox.append(record(next++, { kind, payload }))) taken++;
      if (index % 5 === 4) await outbox.flushed();
    }
    await outbox.flushed();
    return taken;
  };
  const shedOf = (id: string) => outbox.countsOf(id).shedByKind;
  const calm = (): boolean => ['ok', 'warn'].includes(outbox.stats().pressure.level);

  await fill(40, 'frame');
  ackAll(outbox, 'all', await outbox.read('all', ALL));
  await fill(40, 'image');
  await fill(200, 'frame');
  await fill(50, 'event');
  assert.equal(outbox.stats().pressure.level, 'warn');
  assert.deepEqual([shedOf('all'), shedOf('spare')], [{}, {}]);

  await fill(30, 'frame');
  await until(() => calm() && shedOf('all').image !== undefined, 'pictures are shed');
  assert.deepEqual([shedOf('all').frame, shedOf('spare')], [undefined, {}], 'and nothing else');

  for (let count = 0; count < 8 && shedOf('spare').frame === undefined; count++) {
    await fill(5, 'frame');
    await until(calm, 'back below the level');
  }
  assert.deepEqual(shedOf('all').image, { bytes: 40 }, 'every picture went first');
  assert.ok((shedOf('spare').frame?.bytes ?? 0) > 0);
  assert.equal(
    shedOf('all').frame,
    undefined,
    'what a required sink is past goes before what it needs',
  );

  for (let count = 0; count < 20; count++) {
    await fill(5, 'frame');
    await until(calm, 'back below the level');
  }
  assert.ok((shedOf('all').frame?.bytes ?? 0) > 0, 'frames go, the oldest first');
  const left = await outbox.read('all', ALL);
  const frames = left.filter(({ kind }) => kind === 'frame').map(({ atMs }) => atMs);
  assert.equal(frames.at(-1), 1000 + next - 1, 'the newest frame is there');

  const taken = await fill(450, 'event');
  assert.ok(taken < 450, 'new events are refused before old ones are given up');
  assert.equal(shedOf('all').event, undefined);
  assert.equal(outbox.append(record(next++)), false, 'new frames before new events');
  const { refusedByKind, pressure } = outbox.stats();
  assert.ok(refusedByKind.event.pressure === 450 - taken && refusedByKind.frame.pressure >= 1);
  assert.deepEqual(pressure.cause, 'bytes');
  assert.equal(outbox.stats().lastError?.code, 'SL_OUTBOX_FULL');
  for (const { id } of outbox.stats().sinks) assertConserved(outbox.countsOf(id));
});

test('best-effort data behind what a required sink waits for goes first, and in one piece', async (context) => {
  const outbox = await openOutbox(context, {
    dir: temporaryDir(context),
    sinks: [{ id: 'needs', kinds: ['frame'] }, SPARE],
    limits: { maxBytes: 100_000, cacheBytes: 0 },
  });
  const payload = Buffer.alloc(1000);
  const add = async (index: number, sinks: string[]): Promise<void> => {
    const item = { ...record(index, { payload }), sinks };
    await until(() => outbox.append(item), 'there is room again');
    await outbox.flushed();
  };
  for (let index = 0; index < 40; index++) await add(index, ['needs']);
  for (let index = 40; index < 120; index++) await add(index, ['spare']);
  await until(() => outbox.stats().pressure.level === 'warn', 'back below the level');
  assert.equal(outbox.countsOf('needs').shed, 0);
  const { shed, pending } = outbox.countsOf('spare');
  assert.ok(shed > 20 && pending + shed === 80, `${shed} shed, ${pending} wait`);
  const left = await outbox.read('spare', ALL);
  assert.deepEqual(
    left.map(({ atMs }) => atMs),
    Array.from({ length: pending }, (_, index) => 1000 + 120 - pending + index),
  );
});

test('a disk that runs out of free space is left alone: frames go, new ones are refused, events stay', async (context) => {
  const dir = temporaryDir(context);
  const first = await openOutbox(context, { dir, sinks: [EVERYTHING] });
  for (let index = 0; index < 20; index++) first.append(record(index));
  first.append(record(20, { kind: 'event' }));
  await first.close();
  const { bavail, bsize } = statfsSync(dir);
  const outbox = await openOutbox(context, {
    dir,
    sinks: [EVERYTHING],
    limits: { minFreeBytes: 4 * bavail * bsize },
  });
  await until(() => outbox.countsOf('all').shed === 20, 'frames are shed');
  const { shedByKind, pending } = outbox.countsOf('all');
  assert.deepEqual([shedByKind, pending], [{ frame: { 'free-space': 20 } }, 1]);
  assert.deepEqual(outbox.stats().pressure, { level: 'emergency', cause: 'free-space' });
  assert.equal(outbox.append(record(30)), false);
  assert.equal(outbox.append(record(31, { kind: 'event' })), true);
  assert.ok((outbox.stats().space?.freeBytes ?? 0) > 0);
});

test('the pressure is that of the closest bound', () => {
  const limits = { maxBytes: 1000, minFreeBytes: 100, minFreePercent: 1, minFreeInodePercent: 10 };
  const space = { totalBytes: 5000, freeBytes: 5000, totalInodes: 100, freeInodes: 100 };
  const levels = [799, 800, 900, 950, 1000].map((bytes) => pressureOf(bytes, space, limits).level);
  assert.deepEqual(levels, ['ok', 'warn', 'shed', 'emergency', 'full']);
  const free = [201, 199, 99, 49, 0].map(
    (freeBytes) => pressureOf(0, { ...space, freeBytes }, limits).level,
  );
  assert.deepEqual(free, ['ok', 'warn', 'shed', 'emergency', 'emergency']);
  assert.deepEqual(pressureOf(810, { ...space, freeInodes: 4 }, limits), {
    level: 'emergency',
    cause: 'inodes',
  });
  assert.deepEqual(pressureOf(0, { ...space, totalInodes: 0, freeInodes: 0 }, limits), {
    level: 'ok',
  });
  assert.equal(excessBytes(950, undefined, limits), 50);
  assert.equal(excessBytes(0, { ...space, freeBytes: 30 }, limits), 70);
  const refused = (level: 'shed' | 'emergency' | 'full'): boolean[] =>
    (['image', 'frame', 'event'] as const).map((kind) => isRefused({ level }, kind));
  assert.deepEqual(refused('shed'), [false, false, false]);
  assert.deepEqual(refused('emergency'), [true, true, false]);
  assert.deepEqual(refused('full'), [true, true, true]);
});

for (const [name, wallMs] of [
  ['2099', Date.UTC(2099, 0)],
  ['1970', 0],
  ['an hour ago', Date.now() - 3_600_000],
  ['in an hour', Date.now() + 3_600_000],
] as const) {
  test(`a clock that stands in ${name} at the start gives up nothing for its age`, async (context) => {
    const dir = temporaryDir(context);
    const sinks = [EVERYTHING];
    const limits = { maxAgeMs: 2 * DAY_MS };
    const first = await openOutbox(context, { dir, sinks, limits });
    first.append(record(1));
    await first.close();
    const wrong = await openOutbox(context, { dir, sinks, limits, wallMs });
    wrong.append(record(2));
    await wrong.flushed();
    assert.ok(wrong.countsOf('all').oldestAgeMs <= DAY_MS + 10_000);
    await wrong.close();
    const right = await openOutbox(context, { dir, sinks, limits });
    assert.deepEqual(idsOf(await right.read('all', ALL)), [record(1).recordId, record(2).recordId]);
    assert.equal(right.countsOf('all').shed, 0);
    const metrics = await metricsOf(right);
    assert.equal(metrics('outbox_records_dropped_total'), 0);
    const age = metrics('outbox_oldest_record_age_seconds', { sink: 'all' });
    assert.ok(age >= 0 && age < 2 * DAY_S + 60, `${age} s`);
  });
}

test("the outbox' clock goes on by what has passed, by a day at most, and never back", () => {
  const last = Date.UTC(2030, 5);
  const near = (clock: OutboxClock, ms: number): boolean => Math.abs(clock.now() - ms) < 1000;
  assert.ok(near(new OutboxClock(0, last), last));
  assert.ok(near(new OutboxClock(last, last + 5000), last + 5000));
  assert.ok(near(new OutboxClock(last, last - 5000), last));
  const jumped = new OutboxClock(last, Date.UTC(2099, 0));
  assert.ok(near(jumped, last + DAY_MS));
  assert.deepEqual([jumped.isTrusted, new OutboxClock(last, last + 1).isTrusted], [false, true]);
});

test('what waits counts against the bound whatever its kind', async (context) => {
  const kinds = [...RECORD_KINDS];
  const outbox = await openOutbox(context, {
    dir: temporaryDir(context),
    sinks: [{ id: 'all', kinds }],
  });
  let bytes = 0;
  for (const [index, kind] of kinds.entries()) {
    outbox.append(record(index, { kind, payload: Buffer.alloc(1000) }));
    await outbox.flushed();
    assert.ok(outbox.stats().bytes >= bytes + 1000, kind);
    bytes = outbox.stats().bytes;
  }
});
