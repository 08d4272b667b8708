import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type {
  DeliveryResult,
  OutboxRecord,
  PendingRecord,
  RecordKind,
  Sink,
  SinkLimits,
} from '../../src/common/delivery.ts';
import type { OutboxOptions } from '../../src/outbox/options.ts';
import { Outbox } from '../../src/outbox/outbox.ts';
import type { SinkCounts } from '../../src/outbox/stats.ts';

/** Small enough that a test does not write megabytes for nothing. */
export const SMALL = { ballastBytes: 0, commitIntervalMs: 1 } as const;

export function temporaryDir(context: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'sightline-outbox-'));
  context.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

export async function openOutbox(context: TestContext, options: OutboxOptions): Promise<Outbox> {
  const outbox = await Outbox.open({ ...options, limits: { ...SMALL, ...options.limits } });
  context.after(() => outbox.close());
  return outbox;
}

export function record(
  index: number,
  options: { kind?: RecordKind; streamId?: string; payload?: Uint8Array } = {},
): OutboxRecord {
  const { kind = 'frame', streamId = 'cam-1', payload = Buffer.from(`payload ${index}`) } = options;
  return {
    kind,
    streamId,
    recordId: `${streamId}/s/${index}/${kind}`,
    atMs: 1_000 + index,
    payload,
  };
}

export const ALL = { maxRecords: 10_000, maxBytes: 64 * 1024 * 1024 } as const;

export function idsOf(records: readonly OutboxRecord[]): string[] {
  return records.map((item) => item.recordId);
}

export function ackAll(outbox: Outbox, sinkId: string, records: readonly PendingRecord[]): void {
  outbox.ack(
    sinkId,
    records.map((item) => ({ status: 'delivered', record: item })),
  );
}

export function assertConserved(counts: SinkCounts): void {
  const { accepted, delivered, filtered, deadLettered, shed, pending } = counts;
  assert.equal(
    accepted,
    delivered + filtered + deadLettered + shed + pending,
    JSON.stringify(counts),
  );
}

/** What arrived of each stream first came in the order of `ids`: copies may follow later. An id is `<stream>/…`. */
export function assertInOrder(arrived: readonly string[], ids: readonly string[]): void {
  const streamOf = (id: string): string => id.slice(0, id.indexOf('/'));
  const firsts = [...new Set(arrived)];
  for (const stream of new Set(ids.map(streamOf))) {
    const isOfStream = (id: string): boolean => streamOf(id) === stream;
    assert.deepEqual(firsts.filter(isOfStream), ids.filter(isOfStream), `the order of ${stream}`);
  }
}

/** Polls a condition; fails with `what` when it does not come true in time. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  withinMs = 10_000,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > deadline) assert.fail(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

type Deliver = Sink['deliver'];

/** A sink in memory whose answers a test decides. */
export class FakeSink implements Sink {
  readonly id: string;
  readonly type = 'fake';
  readonly kinds: readonly RecordKind[];
  readonly limits: SinkLimits;
  readonly delivered: PendingRecord[] = [];
  readonly calls: (readonly PendingRecord[])[] = [];
  closed = false;
  answer: Deliver;

  constructor(
    options: { id?: string; kinds?: readonly RecordKind[]; limits?: Partial<SinkLimits> } = {},
  ) {
    this.id = options.id ?? 'a';
    this.kinds = options.kinds ?? ['frame'];
    this.limits = { maxRecords: 10, maxBytes: 1024 * 1024, maxWaitMs: 0, ...options.limits };
    this.answer = (batch) => Promise.resolve(batch.map(() => ({ status: 'accepted' })));
  }

  async deliver(
    batch: readonly PendingRecord[],
    options: { signal: AbortSignal },
  ): Promise<readonly DeliveryResult[]> {
    this.calls.push(batch);
    const results = await this.answer(batch, options);
    for (const [index, item] of batch.entries()) {
      if (results[index]?.status === 'accepted') this.delivered.push(item);
    }
    return results;
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }
}
