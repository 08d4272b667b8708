import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PendingRecord, RecordKind } from '../../src/common/delivery.ts';
import { Outbox } from '../../src/outbox/outbox.ts';
import { assertConserved, record, SMALL, temporaryDir, until } from './helpers.ts';

// A seeded random walk over the outbox next to a model of what it promises. A failing seed is in the test's name.

const SEEDS = process.env['SIGHTLINE_TEST_SEEDS']?.split(',').map(Number) ?? [1, 2, 3];
const STEPS = 250;
const KINDS: readonly RecordKind[] = ['frame', 'image', 'event'];
const ROUTES = [undefined, undefined, ['all'], ['frames', 'pictures'], ['frames', 'all'], []];
const SINKS = [
  { id: 'frames', kinds: ['frame'] },
  { id: 'pictures', kinds: ['image'] },
  { id: 'all', kinds: ['frame', 'image', 'event'] },
] as const satisfies readonly { id: string; kinds: readonly RecordKind[] }[];

/** xorshift32: small, good enough to walk, the same everywhere. */
function randomOf(seed: number): () => number {
  let state = (seed * 2654435761) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
}

class SinkModel {
  readonly waiting: string[] = [];
  readonly handedOut: PendingRecord[] = [];
  accepted = 0;
  delivered = 0;
  deadLettered = 0;
}

for (const seed of SEEDS) {
  test(`outbox keeps its promises over random operations (seed ${seed})`, async (context) => {
    const dir = temporaryDir(context);
    const random = randomOf(seed);
    const pick = (count: number): number => Math.floor(random() * count);
    const limits = { ...SMALL, inlineBytes: 256, cacheBytes: 4096 };
    const open = (): Promise<Outbox> => Outbox.open({ dir, sinks: SINKS, limits });
    const models = new Map(SINKS.map(({ id }) => [id as string, new SinkModel()]));
    let outbox = await open();
    let index = 0;

    const append = (): void => {
      for (let count = pick(20); count >= 0; count--) {
        const kind = KINDS[pick(3)]!;
        const payload = Buffer.alloc(pick(4) === 0 ? 300 : pick(200), index % 256);
        const sinks = ROUTES[pick(ROUTES.length)];
        const made = record(index++, { kind, streamId: `cam-${pick(3)}`, payload });
        const item = sinks === undefined ? made : { ...made, sinks };
        assert.ok(outbox.append(item));
        for (const { id, kinds } of SINKS) {
          if (!(kinds as readonly RecordKind[]).includes(kind)) continue;
          if (sinks !== undefined && !sinks.includes(id)) continue;
          const model = models.get(id)!;
          model.accepted++;
          model.waiting.push(item.recordId);
        }
      }
    };
    const read = async (): Promise<void> => {
      await outbox.flushed();
      const { id } = SINKS[pick(3)]!;
      const model = models.get(id)!;
      const batch = await outbox.read(id, { maxRecords: 1 + pick(30), maxBytes: 1 + pick(4000) });
      for (const item of batch) {
        const position = model.waiting.indexOf(item.recordId);
        const earlier = model.waiting
          .slice(0, position)
          .filter((other) => other.endsWith(item.kind) && other.startsWith(item.streamId));
        assert.ok(position >= 0, `${item.recordId} was read and does not wait`);
        assert.deepEqual(earlier, [], 'records of a stream and kind come in order');
        assert.equal(
          Number(item.recordId.split('/')[2]) % 256,
          item.payload[0] ?? Number(item.recordId.split('/')[2]) % 256,
        );
        model.waiting.splice(position, 1);
        model.handedOut.push(item);
      }
    };
    const settle = (): void => {
      const { id } = SINKS[pick(3)]!;
      const model = models.get(id)!;
      for (let count = pick(20); count > 0 && model.handedOut.length > 0; count--) {
        const [item] = model.handedOut.splice(pick(model.handedOut.length), 1);
        if (random() < 0.9) {
          outbox.ack(id, [{ status: 'delivered', record: item! }]);
          model.delivered++;
        } else {
          const error = new Error('poison');
          outbox.ack(id, [{ status: 'dead-lettered', record: item!, error, attempts: 1 }]);
          model.deadLettered++;
        }
      }
    };
    const restart = async (): Promise<void> => {
      await outbox.close();
      outbox = await open();
      for (const model of models.values()) {
        model.waiting.push(...model.handedOut.splice(0).map((item) => item.recordId));
        model.waiting.sort((a, b) => Number(a.split('/')[2]) - Number(b.split('/')[2]));
      }
    };
    const check = (): void => {
      for (const [id, model] of models) {
        const counts = outbox.countsOf(id);
        assertConserved(counts);
        assert.deepEqual(
          [counts.accepted, counts.delivered, counts.deadLettered, counts.shed, counts.pending],
          [
            model.accepted,
            model.delivered,
            model.deadLettered,
            0,
            model.waiting.length + model.handedOut.length,
          ],
          id,
        );
      }
    };

    for (let step = 0; step < STEPS; step++) {
      const dice = random();
      if (dice < 0.4) append();
      else if (dice < 0.7) await read();
      else if (dice < 0.99) settle();
      else await restart();
      check();
    }
    await restart();
    for (const { id } of SINKS) {
      const model = models.get(id)!;
      for (;;) {
        const batch = await outbox.read(id, { maxRecords: 100, maxBytes: 100_000 });
        if (batch.length === 0) break;
        outbox.ack(
          id,
          batch.map((item) => ({ status: 'delivered', record: item })),
        );
        model.delivered += batch.length;
        for (const item of batch) model.waiting.splice(model.waiting.indexOf(item.recordId), 1);
      }
      assert.deepEqual(model.waiting, []);
    }
    check();
    await until(() => outbox.stats().bytes === 0, 'everything acknowledged is deleted');
    await outbox.close();
  });
}
