import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { StreamView } from '../../src/control/types.ts';
import { fileConfig, freePort } from '../../test/support/config.ts';
import { installFixedModel } from '../../test/support/fixed-model.ts';
import { makeH264Clip } from '../../test/support/h264-clip.ts';
import { startHostileCameras, wellBehaved } from '../../test/support/hostile-camera.ts';
import { TestServer, temporaryFolder } from '../../test/support/server.ts';
import { until } from '../../test/support/wait.ts';
import type { Soak } from './report.ts';

const CAMERAS = 64;
const PIPELINES = 4;
/** What two cores carry at once, camera and server on the same machine. */
const FPS = 2;
const BACK_MS = 60_000;
const AWAY_MS = 45_000;
/** Of all cameras, in one second: a burst would be all of them. */
const MOST_AT_ONCE = CAMERAS / 3;

/** 64 cameras die together and come back together: all are live within a minute, and not all ask in the same second. */
export const deadCameras: Soak = async ({ print }) => {
  await using folder = await temporaryFolder();
  const clip = await makeH264Clip(folder.path, { fps: FPS, frames: 2 * FPS, keyFrameEvery: FPS });
  const ids = Array.from({ length: CAMERAS }, (_, index) => `cam-${index}`);
  const cameras = Object.fromEntries(ids.map((id) => [id, wellBehaved(clip)]));
  const port = await freePort();
  const alive = await startHostileCameras(cameras, port);
  const { modelsDir, model } = await installFixedModel(folder.path);
  await using server = await TestServer.start(
    folder.path,
    fileConfig(folder.path, {
      modelsDir,
      pipelines: Array.from({ length: PIPELINES }, (_, pipeline) => ({
        id: `p${pipeline}`,
        infer: { model },
        streams: ids
          .filter((_id, index) => index % PIPELINES === pipeline)
          .map((id) => ({ id, source: { type: 'rtsp', url: alive.urlOf(id) } })),
      })),
    }),
  );
  const states = async () => {
    const counts: Record<string, number> = {};
    for (const id of ids) {
      const { state } = (await server.json<StreamView>(`/v1/streams/${id}`)).status;
      counts[state] = (counts[state] ?? 0) + 1;
    }
    return counts;
  };
  const allLive = async () => (await states())['live'] === CAMERAS;
  const startedAt = performance.now();
  await until('all cameras are live', 2 * BACK_MS, allLive);
  print(`${CAMERAS} cameras live ${seconds(startedAt)} s after the first look`);

  await alive[Symbol.asyncDispose]();
  const diedAt = performance.now();
  await until('no camera is live', BACK_MS, async () => ((await states())['live'] ?? 0) === 0);
  print(`none live ${seconds(diedAt)} s after they died: ${JSON.stringify(await states())}`);
  await delay(AWAY_MS);
  print(`after ${seconds(diedAt)} s: ${JSON.stringify(await states())}`);

  await using back = await startHostileCameras(cameras, port);
  const backAt = performance.now();
  let failure: unknown;
  await until('all cameras are live again', BACK_MS, allLive).catch((error: unknown) => {
    failure = error;
  });
  print(`after ${seconds(backAt)} s back: ${JSON.stringify(await states())}`);
  const perSecond: number[] = [];
  for (const at of back.connections) {
    const second = Math.floor((at - backAt) / 1000);
    perSecond[second] = (perSecond[second] ?? 0) + 1;
  }
  const histogram = Array.from(perSecond, (count) => count ?? 0);
  print(`connections a second at the cameras: ${histogram.join(' ')}`);
  if (failure !== undefined) throw failure;
  assert.ok(Math.max(...histogram) <= MOST_AT_ONCE, 'they came in a burst');
};

function seconds(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(1);
}
