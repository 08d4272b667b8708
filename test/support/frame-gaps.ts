import assert from 'node:assert/strict';
import type { FrameJson } from '../../src/metadata/frame.ts';
import { missingFrames } from './delivered.ts';

/** That a stream's frames came in one session, none of them lost, and no picture of the camera is unaccounted for. */
export function assertUninterrupted(
  frames: readonly FrameJson[],
  streamId: string,
  { fps, atLeast = 10 }: { fps: number; atLeast?: number },
): void {
  const own = frames.filter((frame) => frame.streamId === streamId);
  assert.ok(own.length >= atLeast, `${streamId} has ${own.length} frames`);
  assert.equal(new Set(own.map(({ session }) => session)).size, 1, `${streamId} was restarted`);
  assert.deepEqual(missingFrames(own), [], `${streamId} lost frames`);
  assert.ok(missedFrames(own, fps) < 3, `${streamId} missed ${missedFrames(own, fps)} pictures`);
}

/**
 * Of one session: how many pictures of the camera are neither there nor counted as skipped (the detector was busy), by
 * the times of its frames.
 */
export function missedFrames(frames: readonly FrameJson[], fps: number): number {
  const ordered = frames.toSorted((a, b) => Number(a.frameSequence) - Number(b.frameSequence));
  const spanNs = Number(ordered.at(-1)?.ptsNs) - Number(ordered[0]?.ptsNs);
  const skipped = ordered.slice(1).reduce((sum, frame) => sum + Number(frame.framesSkipped), 0);
  return Math.round((spanNs * fps) / 1e9) + 1 - ordered.length - skipped;
}

/** Of one session: the longest time between two frames that follow each other, by the camera's clock. */
export function longestGapMs(frames: readonly FrameJson[]): number {
  const times = frames.map(({ ptsNs }) => Number(ptsNs) / 1e6).sort((a, b) => a - b);
  return times.slice(1).reduce((longest, at, index) => Math.max(longest, at - times[index]!), 0);
}
