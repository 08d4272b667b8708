import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { quantile } from '../../bench/support/quantile.ts';
import { probeApi } from '../../test/support/api-probe.ts';
import { missingFrames, readFrames } from '../../test/support/delivered.ts';
import { startFaultWorld } from '../../test/support/fault-world.ts';
import { longestGapMs, missedFrames } from '../../test/support/frame-gaps.ts';
import { figuresOf, growth, type Soak, summary, print as text } from './report.ts';

const FPS = 10;
const SIGNALS = ['SIGSEGV', 'SIGKILL', 'SIGSTOP'] as const;
const PIPELINES = { p1: ['s1'], p2: ['s2'], p3: ['s3'], p4: ['s4'] };
/** Of one pipeline: one more within ten minutes is a crash loop, which is tried again after five minutes only. */
const MOST_FAULTS = 5;
const SETTLE_MS = 60_000;

/**
 * A worker at random is killed, crashed or frozen, again and again, under four pipelines. Each pipeline's sessions end
 * by its own faults alone, the frames of each session have no gap, and the API answers all the time.
 */
export const chaos: Soak = async ({ minutes, print }) => {
  await using world = await startFaultWorld({
    pipelines: PIPELINES,
    fps: FPS,
  });
  const { server } = world;
  await world.allLive(30_000);
  await using probe = probeApi(server, 100);
  const faults = new Map(Object.keys(PIPELINES).map((id) => [id, 0]));
  const control = [figuresOf(server.pid)];
  const meanPauseMs = (minutes * 60_000) / (MOST_FAULTS * faults.size);
  for (;;) {
    const ids = [...faults.keys()].filter((id) => faults.get(id)! < MOST_FAULTS);
    if (ids.length === 0) break;
    await delay((0.5 + Math.random()) * meanPauseMs);
    control.push(figuresOf(server.pid));
    const pipelineId = ids[Math.floor(Math.random() * ids.length)]!;
    const signal = SIGNALS[Math.floor(Math.random() * SIGNALS.length)]!;
    const { pid, state } = await world.worker(pipelineId);
    if (pid === undefined) continue;
    process.kill(pid, signal);
    faults.set(pipelineId, faults.get(pipelineId)! + 1);
    print(`${signal} to the worker of ${pipelineId} (${state}, pid ${pid})`);
  }
  await world.allLive(SETTLE_MS);
  const { failures, latenciesMs } = await probe.stop();
  const { first, last } = growth(control);
  print(`API answers, ms: ${summary(latenciesMs)}; failures: ${failures.length}`);
  print(`control process: ${text(first)} -> ${text(last)}`);
  await server[Symbol.asyncDispose]();
  const frames = await readFrames(`${world.folder}/out`);
  for (const [pipelineId, [streamId]] of Object.entries(PIPELINES)) {
    const own = frames.filter((frame) => frame.streamId === streamId);
    const sessions = new Set(own.map(({ session }) => session));
    const gaps = [...sessions].map((id) =>
      longestGapMs(own.filter(({ session }) => session === id)),
    );
    const count = faults.get(pipelineId)!;
    print(
      `${pipelineId}: ${count} faults, ${sessions.size} sessions, ${own.length} frames, longest gap ${quantile(gaps, 1).toFixed(0)} ms`,
    );
    assert.deepEqual(missingFrames(own), [], `${streamId} lost frames`);
    assert.ok(sessions.size <= count + 1, `${pipelineId} was interrupted by another's fault`);
    for (const id of sessions) {
      const missed = missedFrames(
        own.filter(({ session }) => session === id),
        FPS,
      );
      assert.ok(missed < 3, `${streamId} missed ${missed} pictures in one session`);
    }
  }
  assert.deepEqual(failures, []);
  assert.ok(last.rssMb - first.rssMb < 20, 'the control process grows');
  assert.ok(Math.abs(last.fds - first.fds) <= 4, 'descriptors are left open');
};
