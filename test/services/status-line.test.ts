import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Sink } from '../../src/api/schemas.ts';
import type { StreamView } from '../../src/control/types.ts';
import { statusLine } from '../../src/services/status-line.ts';

function stream(id: string, status: Partial<StreamView['status']>): StreamView {
  return {
    id,
    status: {
      state: 'live',
      fps: { decoded: 10.04, inferred: 9.96, published: 9.9 },
      objects: { person: 6, car: 1 },
      latencyMs: { p50: 41.6, p95: 80 },
      ...status,
    },
  } as StreamView;
}

test('statusLine() tells rates, objects, latency and what waits', () => {
  const sinks = [
    { id: 'files', state: 'ok', pending: 2 },
    { id: 'mqtt', state: 'backoff', pending: 40 },
  ] as Sink[];
  assert.equal(
    statusLine([stream('door', {})], sinks),
    'pending 42 (mqtt backoff) | door in 10.0 fps, inferred 10.0, p50 42 ms, person 6, car 1',
  );
});

test('statusLine() names why a stream is not live, and counts what does not fit', () => {
  const reason = { code: 'SL_SOURCE_UNREACHABLE', message: 'refused' } as const;
  const streams = [
    stream('a', { state: 'backoff', reason }),
    ...['b', 'c', 'd', 'e', 'f'].map((id) => stream(id, { state: 'connecting' })),
  ];
  assert.equal(
    statusLine(streams, []),
    'pending 0 | a backoff (SL_SOURCE_UNREACHABLE) | b connecting | c connecting | d connecting | and 2 more (0 of 6 live)',
  );
  assert.equal(statusLine([], []), 'pending 0 | no streams');
});
