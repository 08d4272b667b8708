import assert from 'node:assert/strict';
import test from 'node:test';
import { reportStreams } from '../../src/ground-truth/report.ts';
import type { GroundTruth } from '../../src/ground-truth/sei.ts';

function truth(frame: number, stream = 1, monotonicNs = 0n): GroundTruth {
  return { stream, loop: 0, frame, wallNs: 0n, monotonicNs };
}

test('lost, doubled and late frames are told apart', () => {
  const [report] = reportStreams([5, 6, 8, 7, 8, 12, 14].map((frame) => ({ truth: truth(frame) })));
  assert.deepEqual(report, {
    stream: 1,
    received: 6,
    first: 5,
    last: 14,
    lost: 4,
    gaps: [
      { from: 9, to: 11 },
      { from: 13, to: 13 },
    ],
    duplicated: 1,
    reordered: 1,
  });
});

test('streams are told apart, and latency is from sending to receiving', () => {
  const seen = Array.from({ length: 100 }, (_, index) => ({
    truth: truth(index, 2, BigInt(index) * 1_000_000n),
    receivedMonotonicNs: BigInt(index) * 1_000_000n + BigInt(index + 1) * 1_000_000n,
  }));
  const reports = reportStreams([...seen, { truth: truth(3, 1) }]);
  assert.deepEqual(
    reports.map(({ stream, lost, latencyMs }) => ({ stream, lost, latencyMs })),
    [
      { stream: 1, lost: 0, latencyMs: undefined },
      { stream: 2, lost: 0, latencyMs: { p50: 50, p99: 99 } },
    ],
  );
});
