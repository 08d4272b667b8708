import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import type {
  DeliveryResult,
  OutboxRecord,
  PendingRecord,
  Sink,
} from '../../../src/common/delivery.ts';
import { collectYoungObjectsAlone } from '../../../src/common/young-collections.ts';
import { Delivery } from '../../../src/outbox/delivery.ts';
import { Outbox } from '../../../src/outbox/outbox.ts';
import { type LoopPauses, LoopWatch } from '../../support/loop-watch.ts';

// One part of bench/delivery/backlog.ts, in a process of its own that runs compiled code: what it prints of memory is
// the outbox' alone.

// As in a server.
collectYoungObjectsAlone();

const [part, dir, countText] = process.argv.slice(2) as [string, string, string];
const count = Number(countText);
const MIB = 1024 * 1024;
const STREAMS = 64;
const PAYLOAD = randomBytes(1024);
const A = { id: 'a', kinds: ['frame'] } as const;
const B = { id: 'b', kinds: ['frame'] } as const;

type Figures = Record<string, number>;

function frame(index: number, streamId: string): OutboxRecord {
  return {
    kind: 'frame',
    streamId,
    recordId: `${streamId}/${index}`,
    atMs: Date.now(),
    payload: PAYLOAD,
  };
}

async function pour(outbox: Outbox, records: number): Promise<void> {
  for (let index = 0; index < records; index++) {
    while (!outbox.append(frame(index, `cam-${index % STREAMS}`))) await nextTurn();
    if (index % 100 === 99) await nextTurn();
  }
  await outbox.flushed();
}

async function watched(work: () => Promise<void>): Promise<{ pauses: LoopPauses; rss: number }> {
  const loop = new LoopWatch();
  let rss = process.memoryUsage.rss();
  const timer = setInterval(() => {
    rss = Math.max(rss, process.memoryUsage.rss());
  }, 20);
  loop.start();
  await work();
  clearInterval(timer);
  return { pauses: loop.stop(), rss: rss / MIB };
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((x, y) => x - y);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

/** Takes everything at once, and notes how long live records were under way. */
class MemorySink implements Sink {
  readonly type = 'memory';
  readonly kinds = ['frame'] as const;
  readonly limits = { maxRecords: 500, maxBytes: 4 * MIB, maxWaitMs: 0 };
  readonly liveMs: number[] = [];
  readonly id: string;
  readonly #appended: ReadonlyMap<string, number>;

  constructor(id: string, appended: ReadonlyMap<string, number>) {
    this.id = id;
    this.#appended = appended;
  }

  async deliver(batch: readonly PendingRecord[]): Promise<readonly DeliveryResult[]> {
    await nextTurn();
    const now = performance.now();
    for (const { recordId } of batch) {
      const at = this.#appended.get(recordId);
      if (at !== undefined) this.liveMs.push(now - at);
    }
    return batch.map(() => ({ status: 'accepted' }));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

async function intake(sealed: boolean): Promise<Figures> {
  const keyFile = `${dir}/key`;
  if (sealed) writeFileSync(keyFile, randomBytes(32));
  const encryption = sealed ? { encryption: { keyFile } } : {};
  const outbox = await Outbox.open({ dir: `${dir}/outbox`, sinks: [A], ...encryption });
  let seconds = 0;
  const { pauses, rss } = await watched(async () => {
    const started = performance.now();
    await pour(outbox, count);
    seconds = (performance.now() - started) / 1000;
  });
  await outbox.close();
  const name = sealed
    ? 'durable intake of 1 KiB records, sealed'
    : 'durable intake of 1 KiB records';
  return {
    [`${name}, /s`]: count / seconds,
    [`${name}, longest pause of the event loop, ms`]: pauses.longestMs,
    [`${name}, the same without waits for a core, ms`]: pauses.ownMs,
    [`${name}, peak RSS, MiB`]: rss,
  };
}

async function restart(): Promise<Figures> {
  const started = performance.now();
  const outbox = await Outbox.open({ dir: `${dir}/outbox`, sinks: [A] });
  const readyMs = performance.now() - started;
  const batch = await outbox.read('a', { maxRecords: 1000, maxBytes: 8 * MIB });
  const firstMs = performance.now() - started;
  if (outbox.countsOf('a').pending !== count || batch.length !== 1000)
    throw new Error('Not all there');
  const rss = process.memoryUsage.rss() / MIB;
  await outbox.close();
  return {
    'restart with the backlog: ready, ms': readyMs,
    'restart with the backlog: first 1,000 records, ms': firstMs,
    'restart with the backlog: RSS, MiB': rss,
  };
}

async function drain(): Promise<Figures> {
  const appended = new Map<string, number>();
  const outbox = await Outbox.open({ dir: `${dir}/outbox`, sinks: [A, B] });
  const sinks = [new MemorySink('a', appended), new MemorySink('b', appended)] as const;
  const deliveries = sinks.map((sink) => new Delivery({ outbox, sink }));
  let live = 0;
  let seconds = 0;
  const { pauses, rss } = await watched(async () => {
    const started = performance.now();
    for (const delivery of deliveries) delivery.start();
    while (outbox.countsOf('a').delivered < count) {
      for (let each = 0; each < 10; each++) {
        const record = frame(live++, `live-${each}`);
        appended.set(record.recordId, performance.now());
        outbox.append(record);
      }
      await delay(10);
    }
    seconds = (performance.now() - started) / 1000;
    while (outbox.countsOf('b').pending > 0) await delay(5);
  });
  for (const delivery of deliveries) await delivery.close();
  await outbox.close();
  const [same, other] = sinks;
  return {
    'drain of the backlog, records/s': count / seconds,
    'live meanwhile, records/s': live / seconds,
    'live to another sink meanwhile, p50, ms': quantile(other.liveMs, 0.5),
    'live to another sink meanwhile, p99, ms': quantile(other.liveMs, 0.99),
    'live to the same sink, behind its backlog, p50, ms': quantile(same.liveMs, 0.5),
    'drain: longest pause of the event loop, ms': pauses.longestMs,
    'drain: the same without waits for a core, ms': pauses.ownMs,
    'drain: peak RSS, MiB': rss,
  };
}

const PARTS: Readonly<Record<string, () => Promise<Figures>>> = {
  intake: () => intake(false),
  sealed: () => intake(true),
  restart,
  drain,
};

process.send?.(await PARTS[part]!(), () => process.disconnect());
