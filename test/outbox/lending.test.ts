import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type {
  DeliveryResult,
  OutboxRecord,
  PendingRecord,
  Sink,
} from '../../src/common/delivery.ts';
import { Delivery } from '../../src/outbox/delivery.ts';
import { CHUNK_BYTES, SpareBuffers } from '../../src/outbox/spare-buffers.ts';
import { TailCache } from '../../src/outbox/tail-cache.ts';
import { until } from '../support/wait.ts';
import { openOutbox, temporaryDir } from './helpers.ts';

const PAYLOAD_BYTES = 4096;

function numbered(index: number): OutboxRecord {
  const payload = Buffer.alloc(PAYLOAD_BYTES, `${index} `);
  const streamId = `cam-${index % 3}`;
  return { kind: 'frame', streamId, recordId: `${streamId}/${index}`, atMs: index, payload };
}

/** Looks at what it was told and given as late as it may, and keeps copies of what it saw. */
class LateSink implements Sink {
  readonly id = 'late';
  readonly type = 'late';
  readonly kinds = ['frame'] as const;
  readonly limits = { maxRecords: 100, maxBytes: 4 * CHUNK_BYTES, maxWaitMs: 0 };
  readonly copies = true;
  readonly seen: OutboxRecord[] = [];
  readonly #beforeEnd: () => Promise<void>;
  #told: readonly PendingRecord[] = [];
  #calls = 0;

  constructor(beforeEnd: () => Promise<void>) {
    this.#beforeEnd = beforeEnd;
  }

  prepare(batch: readonly PendingRecord[]): void {
    this.#told = batch;
  }

  async deliver(batch: readonly PendingRecord[]): Promise<readonly DeliveryResult[]> {
    const isRefused = ++this.#calls % 4 === 0;
    await this.#beforeEnd();
    for (const record of [...batch, ...this.#told]) check(record);
    const error = new Error('not now');
    if (isRefused) return batch.map(() => ({ status: 'retry', error }));
    for (const { kind, streamId, recordId, atMs, payload } of batch) {
      this.seen.push({ kind, streamId, recordId, atMs, payload: Buffer.from(payload) });
    }
    return batch.map(() => ({ status: 'accepted' }));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function check({ recordId, atMs, payload }: OutboxRecord): void {
  const wanted = numbered(atMs);
  assert.equal(recordId, wanted.recordId);
  assert.ok(wanted.payload.every((byte, at) => byte === payload[at]));
}

test('records that are lent keep their bytes while others come in and their memory is used again', async (t) => {
  const records = 4_000;
  let appended = 0;
  const sink = new LateSink(async () => {
    for (let each = 0; each < 150 && appended < records; each++)
      outbox.append(numbered(appended++));
    await outbox.flushed();
    await nextTurn();
  });
  // A small cache: a part comes back from the disk, a part from memory.
  const limits = { cacheBytes: 3 * CHUNK_BYTES };
  const outbox = await openOutbox(t, { dir: temporaryDir(t), sinks: [sink, COPIED], limits });
  const backoff = { baseMs: 1, capMs: 1 };
  const delivery = new Delivery({ outbox, sink, backoff });
  t.after(() => delivery.close());
  for (; appended < 600; appended++) outbox.append(numbered(appended));
  delivery.start();
  await until('all delivered', 60_000, () => sink.seen.length === records);
  assert.deepEqual(
    sink.seen.map(({ atMs }) => atMs),
    Array.from({ length: records }, (_, index) => index),
  );
  // What a reader got that makes no copies is its own for good.
  const own = await outbox.read(COPIED.id, { maxRecords: 500, maxBytes: 8 * 1024 * 1024 });
  for (let index = 0; index < 500; index++) outbox.append(numbered(records + index));
  await outbox.flushed();
  await outbox.read(COPIED.id, { maxRecords: 500, maxBytes: 8 * 1024 * 1024 });
  for (const record of own) check(record);
});

const COPIED = { id: 'copied', kinds: ['frame'] } as const;

test('memory of a chunk is used again when it left the cache and every reader has given it back', () => {
  const cache = new TailCache(CHUNK_BYTES, 1);
  const chunk = (firstSeq: number) => {
    const data = new Uint8Array(cache.spares.take(1));
    return { kind: 'frame', firstSeq, count: 1, bytes: 1, storedMs: 0, data } as const;
  };
  const isSpare = (buffer: ArrayBufferLike): boolean => {
    const taken = cache.spares.take(1);
    if (taken !== buffer) cache.spares.put(taken);
    return taken === buffer;
  };
  const first = chunk(1);
  cache.add(first);
  assert.equal(cache.firstAfter(0, ['frame']), first);
  assert.equal(cache.firstAfter(0, ['frame']), first);
  cache.giveBack(first);
  const second = chunk(2);
  cache.add(second);
  assert.ok(!isSpare(first.data.buffer), 'the other reader still has it');
  cache.giveBack(first);
  assert.ok(isSpare(first.data.buffer));
  assert.equal(cache.firstAfter(1, ['frame']), second);
  cache.giveBack(second);
  assert.ok(!isSpare(second.data.buffer), 'the cache still has it');
  cache.add(chunk(3));
  assert.ok(isSpare(second.data.buffer));
});

test('only memory of the size that chunks have is kept for later', () => {
  const spares = new SpareBuffers();
  spares.put(new ArrayBuffer(CHUNK_BYTES));
  spares.put(spares.take(CHUNK_BYTES + 1));
  assert.equal(spares.take(CHUNK_BYTES + 1).byteLength, CHUNK_BYTES + 1);
  const taken = spares.take(1);
  assert.ok(taken instanceof SharedArrayBuffer && taken.byteLength === CHUNK_BYTES);
});
