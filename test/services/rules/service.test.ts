import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EpochFence } from '../../../src/common/epoch-fence.ts';
import { SightlineError } from '../../../src/common/errors.ts';
import { decodeMessage, rejectStale } from '../../../src/consumer/index.ts';
import { withEpoch } from '../../../src/metadata/epoch.ts';
import { Delivery } from '../../../src/outbox/delivery.ts';
import { RULES_SINK_ID } from '../../../src/services/rules/sink-id.ts';
import type { EventStore } from '../../../src/stores/event-store.ts';
import { SqliteEventStore } from '../../../src/stores/sqlite-events.ts';
import { assertConserved, openOutbox, temporaryDir } from '../../outbox/helpers.ts';
import { eventRecord, frameRecord, withPayload } from '../../sinks/samples.ts';
import { until } from '../../support/wait.ts';
import { rulesUnderTest } from './support.ts';

const DWELL = { id: 'dwell', kind: 'dwell', durationMs: 1000 };
const ROLE = { id: RULES_SINK_ID, kinds: ['frame', 'event'] as const, required: true };

test('frames that waited in the outbox over a restart are looked at, and events go out once', async (context) => {
  const dir = temporaryDir(context);
  const before = await openOutbox(context, { dir, sinks: [ROLE] });
  for (let seq = 1; seq <= 40; seq++) before.append(frameRecord(seq, { objects: 1 }));
  before.append(withPayload(frameRecord(41), Buffer.from('no frame')));
  await before.flushed();
  await before.close();

  const outbox = await openOutbox(context, { dir, sinks: [ROLE] });
  const { service, store, published, told } = rulesUnderTest(context, { rules: [DWELL] });
  const delivery = new Delivery({ outbox, sink: service.sink });
  context.after(() => delivery.close({ drainMs: 0 }));
  delivery.start();
  await until('all are settled', 10_000, () => outbox.countsOf(RULES_SINK_ID).pending === 0);
  const counts = outbox.countsOf(RULES_SINK_ID);
  assertConserved(counts);
  assert.deepEqual([counts.delivered, counts.deadLettered], [40, 1]);
  const events = await store.list({ limit: 10 });
  assert.equal(events.length, 1);
  assert.deepEqual(
    published.map(({ recordId, kind }) => [recordId, kind]),
    [[`event/${events[0]!.id}`, 'event']],
  );
  assert.equal(told.length, 1);
});

test('what was found while the store was away is stored when it is back, and no frame is lost for it', async (context) => {
  const kept = new SqliteEventStore(`${temporaryDir(context)}/events.sqlite`);
  let isAway = true;
  const store: EventStore = {
    put: async (events) => {
      if (isAway) throw new SightlineError('SL_UNAVAILABLE', 'away');
      await kept.put(events);
    },
    list: (query) => kept.list(query),
    get: (id) => kept.get(id),
    prune: (time) => kept.prune(time),
    close: () => kept.close(),
  };
  const { service, published } = rulesUnderTest(context, { rules: [DWELL], store });
  const batch = Array.from({ length: 40 }, (_, seq) => frameRecord(seq, { objects: 1 }));
  const { signal } = new AbortController();
  const refused = await service.sink.deliver(batch, { signal }).catch((error) => error.code);
  assert.equal(refused, 'SL_SINK_UNAVAILABLE');
  assert.equal(service.stats().waiting, 1);
  isAway = false;
  const again = await service.sink.deliver(batch, { signal });
  assert.ok(again.every(({ status }) => status === 'accepted'));
  assert.equal((await store.list({ limit: 10 })).length, 1);
  assert.equal(published.length, 1);
  assert.deepEqual([service.stats().waiting, service.stats().late], [0, 40]);
});

test('events carry the epoch of the frames they were found on, wherever they go', async (context) => {
  const rules = [DWELL, { id: 'offline', kind: 'camera-offline', durationMs: 1000 }];
  const { service, store, published } = rulesUnderTest(context, { rules });
  const frames = Array.from({ length: 40 }, (_, seq) => frameRecord(seq, { objects: 1 }));
  const owned = frames.map((frame) => withPayload(frame, withEpoch('frame', frame.payload, 7)));
  await service.sink.deliver(owned, { signal: new AbortController().signal });
  await until('the silent stream is told', 5_000, () => published.length === 2);
  const sent = published.map(({ payload }) => JSON.parse(Buffer.from(payload).toString()));
  assert.deepEqual(
    sent.map(({ rule, epoch }) => [rule, epoch]),
    [
      ['dwell', 7],
      ['offline', 7],
    ],
  );
  const kept = await store.list({ limit: 10 });
  assert.deepEqual(
    kept.map(({ epoch }) => epoch),
    [7, 7],
  );
  const messages = sent.flatMap((event) => decodeMessage(Buffer.from(JSON.stringify(event))));
  const fence = new EpochFence([['cam-1', 8]]);
  assert.deepEqual(rejectStale(messages, fence), []);
  assert.equal(fence.stale, 2, 'a consumer refuses those of a former owner');
});

test('a stream that is removed is not waited for', async (context) => {
  const offline = { id: 'offline', kind: 'camera-offline', durationMs: 1000 };
  const { service, told } = rulesUnderTest(context, { rules: [offline] });
  const { signal } = new AbortController();
  const mine = frameRecord(1);
  const frames = [
    withPayload(mine, withEpoch('frame', mine.payload, 2)),
    frameRecord(2, { streamId: 'other' }),
  ];
  await service.sink.deliver(frames, { signal });
  const removed = [
    { id: 1, type: 'stream.removed', streamId: 'other' },
    // Its former owner in a fleet says so.
    { id: 2, type: 'stream.removed', streamId: 'cam-1', epoch: 1 },
  ];
  await service.sink.deliver(
    removed.map((event) => withPayload(eventRecord(3), Buffer.from(JSON.stringify(event)))),
    { signal },
  );
  assert.equal(service.stats().stale, 1);
  await until('the silent stream is told', 5_000, () => told.length > 0);
  assert.deepEqual(
    told.map(({ streamId, type, epoch }) => [streamId, type, epoch]),
    [['cam-1', 'rule.started', 2]],
  );
});
