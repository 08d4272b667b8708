import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import type { OutboxRecord, Sink } from '../../src/common/delivery.ts';
import { frameToJson } from '../../src/metadata/frame.ts';
import { Delivery } from '../../src/outbox/delivery.ts';
import { Outbox } from '../../src/outbox/outbox.ts';
import { createSink } from '../../src/sinks/registry.ts';
import { frameRecord } from '../../test/sinks/samples.ts';

const MIB = 1024 * 1024;
const STREAMS = 10;
/** About 1,000 bytes of protobuf. */
const OBJECTS = 23;

/** Figures by name. */
export type PartResult = Record<string, number>;

/** Frames of ten streams, numbered; the payload is encoded once. */
function* frames(count: number): Generator<OutboxRecord> {
  const { payload } = frameRecord(1, { objects: OBJECTS });
  const atMs = Date.now();
  for (let index = 0; index < count; index++) {
    const streamId = `cam-${index % STREAMS}`;
    yield { kind: 'frame', streamId, recordId: `${streamId}/s1/${index}`, atMs, payload };
  }
}

/** As fast as the outbox takes them: a full queue is waited for. */
async function pour(outbox: Outbox, count: number): Promise<void> {
  let inTurn = 0;
  for (const frame of frames(count)) {
    while (!outbox.append(frame)) await nextTurn();
    if (++inTurn % 200 === 0) await nextTurn();
  }
}

async function watched<T>(
  work: () => Promise<T>,
): Promise<{ result: T; maxDelayMs: number; peakRss: number }> {
  const loop = monitorEventLoopDelay({ resolution: 5 });
  let peakRss = 0;
  const timer = setInterval(() => {
    peakRss = Math.max(peakRss, process.memoryUsage.rss());
  }, 50);
  loop.enable();
  const result = await work();
  loop.disable();
  clearInterval(timer);
  return { result, maxDelayMs: loop.max / 1e6, peakRss: peakRss / MIB };
}

function perSecond(count: number, startedMs: number): number {
  return (count / (performance.now() - startedMs)) * 1000;
}

async function intake(dir: string): Promise<PartResult> {
  const count = 300_000;
  const outbox = await Outbox.open({ dir, sinks: [{ id: 'a', kinds: ['frame'] }] });
  const started = performance.now();
  await pour(outbox, count);
  await outbox.flushed();
  const rate = perSecond(count, started);
  await outbox.close();
  return { 'durable intake of 1 KB frames, /s': rate };
}

function fileSink(root: string): Promise<Sink> {
  return createSink(
    {
      ...{ id: 'a', type: 'file', required: true, dir: root, kinds: ['frame'] },
      ...{ formats: ['ndjson', 'protobuf'], maxFileBytes: 64 * MIB, maxFileAgeMs: 3_600_000 },
      maxWaitMs: 500,
    },
    { baseDir: '/' },
  );
}

async function drained(outbox: Outbox): Promise<void> {
  while (outbox.countsOf('a').pending > 0) await delay(2);
}

async function through(dir: string): Promise<PartResult> {
  const count = 100_000;
  const outbox = await Outbox.open({
    dir: `${dir}/outbox`,
    sinks: [{ id: 'a', kinds: ['frame'] }],
  });
  const delivery = new Delivery({ outbox, sink: await fileSink(`${dir}/files`) });
  delivery.start();
  const before = process.cpuUsage();
  const { result, maxDelayMs } = await watched(async () => {
    const started = performance.now();
    await pour(outbox, count);
    await drained(outbox);
    return perSecond(count, started);
  });
  const { user, system } = process.cpuUsage(before);
  await delivery.close();
  await outbox.close();

  const { payload } = frameRecord(1, { objects: OBJECTS });
  const jsonStarted = performance.now();
  for (let index = 0; index < 10_000; index++) JSON.stringify(frameToJson(payload));
  return {
    'through to NDJSON + protobuf files, synced, /s': result,
    'CPU of it per record, all threads, us': (user + system) / count,
    'longest pause of the event loop meanwhile, ms': maxDelayMs,
    'frame to JSON alone (one core), 1/s': perSecond(10_000, jsonStarted),
  };
}

async function backlog(dir: string): Promise<PartResult> {
  const count = 1_000_000;
  const options = { dir: `${dir}/outbox`, sinks: [{ id: 'a', kinds: ['frame'] }] as const };
  const first = await Outbox.open(options);
  const filling = await watched(() => pour(first, count));
  await first.flushed();
  await first.close();
  const started = performance.now();
  const outbox = await Outbox.open(options);
  const reopenMs = performance.now() - started;
  const batchStarted = performance.now();
  const batch = await outbox.read('a', { maxRecords: 1000, maxBytes: 8 * MIB });
  const firstBatchMs = performance.now() - batchStarted;
  if (batch.length !== 1000) throw new Error(`${batch.length} records instead of 1000`);
  await outbox.close();

  const draining = await Outbox.open(options);
  const delivery = new Delivery({ outbox: draining, sink: await fileSink(`${dir}/files`) });
  const { result, maxDelayMs, peakRss } = await watched(async () => {
    const drainStarted = performance.now();
    delivery.start();
    await drained(draining);
    return perSecond(count, drainStarted);
  });
  await delivery.close();
  await draining.close();
  return {
    'memory while 1 M come in and wait, peak, MiB': filling.peakRss,
    'restart with 1 M waiting, ready, ms': reopenMs,
    'first 1,000 records after it, ms': firstBatchMs,
    'draining 1 M to files, 1/s': result,
    'memory while draining, peak, MiB': peakRss,
    'longest pause of the event loop, ms': maxDelayMs,
  };
}

/** CPU at the rates of real cameras, journal thread and file sink included. */
async function idle(dir: string): Promise<PartResult> {
  const figures: PartResult = {};
  for (const perSecondWanted of [30, 300]) {
    const outbox = await Outbox.open({
      dir: `${dir}/outbox-${perSecondWanted}`,
      sinks: [{ id: 'a', kinds: ['frame'] }],
    });
    const delivery = new Delivery({
      outbox,
      sink: await fileSink(`${dir}/files-${perSecondWanted}`),
    });
    delivery.start();
    const all = [...frames(perSecondWanted * 10)];
    const before = process.cpuUsage();
    for (const [index, frame] of all.entries()) {
      outbox.append(frame);
      if (index % Math.max(1, perSecondWanted / 30) === 0) await delay(1000 / 30);
    }
    const { user, system } = process.cpuUsage(before);
    figures[`CPU at ${perSecondWanted} frames/s, outbox and file sink, %`] =
      ((user + system) / 1e6 / 10) * 100;
    await delivery.close();
    await outbox.close();
  }
  return figures;
}

export const PARTS = { intake, through, backlog, idle };
export type PartName = keyof typeof PARTS;
