import type { DeliveryControl } from '../../src/api/dependencies.ts';
import type { DeadLetter, Sink } from '../../src/api/schemas.ts';
import { SightlineError } from '../../src/common/errors.ts';

const SINK: Sink = {
  id: 'files',
  type: 'file',
  source: 'config',
  generation: 1,
  spec: { id: 'files', type: 'file', dir: 'out' },
  state: 'ok',
  circuit: 'closed',
  nextAttemptInMs: 0,
  retries: 0,
  required: true,
  accepted: 11,
  pending: 1,
  delivered: 6,
  filtered: 1,
  deadLettered: 2,
  shed: 1,
  oldestAgeMs: 1500,
};

const LETTER: DeadLetter = {
  id: '7',
  sinkId: 'files',
  kind: 'frame',
  streamId: 'door',
  recordId: 'door/s1/7',
  capturedAt: '2026-01-01T00:00:00.000Z',
  deadAt: '2026-01-01T00:00:01.000Z',
  attempts: 1,
  reason: { code: 'SL_SINK_REJECTED', message: 'too big' },
  payloadBytes: 100,
};

function notThere(what: string): never {
  throw new SightlineError('SL_NOT_FOUND', `There is no ${what}`);
}

function histogram() {
  return { bounds: [0.1, 1], counts: [1, 2, 1], sum: 3.5, count: 4 };
}

/** One sink that has delivered, refused and dropped. `none: true`: no sinks at all. */
export function deliveryDouble({ none = false } = {}): DeliveryControl {
  const sinks = none ? [] : [SINK];
  const sink = (id: string) => sinks.find((one) => one.id === id) ?? notThere(`sink "${id}"`);
  return {
    sinks: () => sinks,
    sink,
    figures: () =>
      sinks.map(({ id, required, accepted, delivered, filtered, pending, oldestAgeMs }) => ({
        ...{ id, required, accepted, delivered, filtered, pending, oldestAgeMs },
        orphaned: false,
        deadLettered: 2,
        deadLetteredByCode: { SL_SINK_REJECTED: 2 },
        shed: 1,
        shedByReason: { bytes: 1 },
        shedByKind: { frame: { bytes: 1 } },
        circuit: 'closed',
        retries: 3,
        retriesByCode: { SL_SINK_TIMEOUT: 3 },
        batchRecords: histogram(),
        sendSeconds: { ok: histogram(), partial: histogram(), failed: histogram() },
      })),
    outbox: () => ({
      state: 'ok',
      pressure: { level: 'ok' },
      space: undefined,
      bytes: 4096,
      bytesByKind: { frame: 4096, image: 0, event: 0, segment: 0 },
      queuedRecords: 0,
      queuedBytes: 0,
      appended: 11,
      refused: { 'queue-full': 7, pressure: 0, failed: 0 },
      refusedByKind: {
        frame: { 'queue-full': 7, pressure: 0, failed: 0 },
        image: { 'queue-full': 0, pressure: 0, failed: 0 },
        event: { 'queue-full': 0, pressure: 0, failed: 0 },
        segment: { 'queue-full': 0, pressure: 0, failed: 0 },
      },
      unrouted: 0,
      deadLettersDropped: 0,
      corruptRecords: 0,
      recoverySeconds: 0.25,
      commitSeconds: histogram(),
      lastError: undefined,
      sinks: [],
    }),
    putSink: async ({ id }) => ({ view: { ...SINK, id }, created: true }),
    patchSink: async (id) => sink(id),
    removeSink: async (id) => void sink(id),
    pauseSink: async (id) => sink(id),
    resumeSink: async (id) => sink(id),
    forgetSink: async (id) => void sink(id),
    deadLetters: async () => (none ? [] : [LETTER]),
    deadLetter: async (id) =>
      id === LETTER.id && !none ? { ...LETTER, payload: { frame: {} } } : notThere(id),
    retryDeadLetters: async () => ({ retried: 1, kept: 0 }),
    purgeDeadLetters: async () => ({ purged: 1 }),
  };
}
