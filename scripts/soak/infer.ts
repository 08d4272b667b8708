import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startFauxqs } from 'fauxqs';
import type { FrameJson } from '../../src/metadata/frame-json.ts';
import { SqsSink } from '../../src/sinks/sqs/sink.ts';
import { imageOf, jpegs } from '../../test/inference/pictures.ts';
import { readFrames } from '../../test/support/delivered.ts';
import { installFixedModel } from '../../test/support/fixed-model.ts';
import { InferProcess } from '../../test/support/infer-process.ts';
import { temporaryFolder } from '../../test/support/server.ts';
import { until } from '../../test/support/wait.ts';
import type { Soak } from './report.ts';

const FRAMES_PER_MINUTE = 1000;
const CAMERAS = 8;
const WORKER_KILLS = 5;
const PROCESS_KILLS = 2;
const BATCH = 200;
const STUCK_MS = 300_000;

/**
 * A full queue is worked off by `sightline infer` whose worker is killed at random five times, and that is killed itself
 * twice: nothing is lost and no message stays. 10,000 frames in its ten minutes; with `--minutes` fewer or more.
 */
export const inferQueue: Soak = async ({ minutes, print }) => {
  const count = Math.round(minutes * FRAMES_PER_MINUTE);
  await using folder = await temporaryFolder();
  const server = await startFauxqs({ port: 0, host: '127.0.0.1', logger: false });
  try {
    for (const name of ['frames', 'poison']) server.createQueue(name);
    const aws = {
      endpoint: `http://127.0.0.1:${server.port}`,
      region: 'us-east-1',
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    };
    await fill(count, aws);
    const { modelsDir, model } = await installFixedModel(folder.path);
    const out = join(folder.path, 'out');
    const config = {
      modelsDir,
      queue: {
        ...{ type: 'sqs', queue: 'frames', deadLetterQueue: 'poison' },
        ...{ visibilityTimeoutS: 10, ...aws },
      },
      models: [{ infer: { model }, track: { type: 'bytetrack', minHits: 1 } }],
      sinks: [{ id: 'files', type: 'file', dir: out, formats: ['ndjson'] }],
    };
    const startedMs = performance.now();
    const figures = await workOff(folder.path, config, count);
    const tookS = (performance.now() - startedMs) / 1000;
    const { ready, delayed, inflight } = server.inspectQueue('frames')!.messages;
    const left = ready.length + delayed.length + inflight.length;
    const buried = server.inspectQueue('poison')!.messages.ready.length;
    const frames = await readFrames(out);
    const ids = new Set(frames.map(({ recordId }) => recordId));
    print(`${count} frames of ${CAMERAS} cameras in ${tookS.toFixed(0)} s, ${figures}`);
    print(`lost ${count - ids.size}, undeleted ${left}, dead letters ${buried}`);
    print(`results that came twice ${frames.length - ids.size}, late ${lateIn(frames)}`);
    assert.deepEqual({ lost: count - ids.size, left, buried }, { lost: 0, left: 0, buried: 0 });
  } finally {
    await server.stop();
  }
};

async function fill(count: number, aws: object): Promise<void> {
  const pictures = await jpegs(10);
  const sink = new SqsSink({
    ...{ id: 'queue', type: 'sqs', required: true, queue: 'frames', kinds: ['image'] },
    ...{ format: 'protobuf', concurrency: 4, ...aws },
  });
  for (let from = 0; from < count; from += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, count - from) }, (_, index) => {
      const seq = from + index;
      const data = pictures[seq % pictures.length]!;
      const camera = `cam-${seq % CAMERAS}`;
      return { ...imageOf({ camera, sequence: Math.floor(seq / CAMERAS), data }), seq };
    });
    const results = await sink.deliver(batch, { signal: AbortSignal.timeout(60_000) });
    assert.ok(results.every(({ status }) => status === 'accepted'));
  }
  await sink.close();
}

/** Kills at random amounts of work done; ends when the queue is empty and everything is delivered. */
async function workOff(folder: string, config: object, count: number): Promise<string> {
  const kills = [
    ...Array.from({ length: WORKER_KILLS }, () => 'worker' as const),
    ...Array.from({ length: PROCESS_KILLS }, () => 'process' as const),
  ].map((what) => ({ what, at: Math.random() * count * 0.9 }));
  kills.sort((a, b) => a.at - b.at);
  await mkdir(folder, { recursive: true });
  let done = 0;
  let resent = 0;
  let running = await InferProcess.start(folder, config);
  try {
    for (const { what, at } of kills) {
      const status = await until(`${Math.round(at)} frames are done`, STUCK_MS, async () => {
        const now = await running.status();
        if (now?.models[0]?.pid === undefined) return undefined;
        return done + now.frames.done >= at ? now : undefined;
      });
      if (what === 'worker') {
        process.kill(status.models[0]!.pid!, 'SIGKILL');
        // The next kill meets another worker.
        await until('another worker runs', STUCK_MS, async () => {
          const pid = (await running.status())?.models[0]?.pid;
          return pid !== undefined && pid !== status.models[0]!.pid;
        });
      } else {
        done += status.frames.done;
        resent += status.models[0]!.resent;
        await running.end('SIGKILL');
        running = await InferProcess.start(folder, config);
      }
    }
    let before = -1;
    await until('everything is done', STUCK_MS, async () => {
      const load = await backlog(running);
      const quiet = load === 0 && before === 0;
      before = load;
      await delay(1000);
      return quiet;
    });
    const last = await running.status();
    resent += last?.models[0]?.resent ?? 0;
    done += last?.frames.done ?? 0;
    return `${WORKER_KILLS} workers and ${PROCESS_KILLS} processes killed, ${resent} frames sent to a worker again, ${done} done`;
  } finally {
    await running.end('SIGTERM');
  }
}

/** Messages in the queue, and records that wait for the sink. */
async function backlog(running: InferProcess): Promise<number> {
  const text = await (await fetch(`${running.url}/metrics`)).text();
  const figure = (name: string) =>
    Number(new RegExp(`^${name}(?:{[^}]*})? (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
  return figure('sightline_infer_backlog_frames') + figure('outbox_cursor_lag_records');
}

function lateIn(frames: readonly FrameJson[]): number {
  return frames.filter(({ late }) => late === true).length;
}
