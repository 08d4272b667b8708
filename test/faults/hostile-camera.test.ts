import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import type { WorkerView } from '../../src/control/types.ts';
import { fileConfig } from '../support/config.ts';
import { readFrames } from '../support/delivered.ts';
import { installFixedModel } from '../support/fixed-model.ts';
import { assertUninterrupted } from '../support/frame-gaps.ts';
import { makeH264Clip } from '../support/h264-clip.ts';
import { startHostileCameras, wellBehaved } from '../support/hostile-camera.ts';
import {
  type HostileClips,
  hostileScenarios,
  type Scenario,
} from '../support/hostile-scenarios.ts';
import { type LogLine, TestServer, temporaryFolder } from '../support/server.ts';
import { until } from '../support/wait.ts';

/** What a worker may hold at most, whatever its cameras send. */
const WORKER_BYTES = 600 * 1024 * 1024;
const CONTROL_BYTES = 400 * 1024 * 1024;
const ENOUGH_MS = 25_000;

/** Streams of cameras that do nothing wrong: in a worker of their own, and beside hostile ones. */
const GOOD = ['good-none', 'good-protocol', 'good-media'];
/** Beside one that makes its worker be replaced. */
const HANDED_OVER = 'good-hang';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: TestServer;
let cameras: Awaited<ReturnType<typeof startHostileCameras>>;
let scenarios: readonly Scenario[];
let controlBytes = 0;

before(async () => {
  folder = await temporaryFolder();
  const clips: HostileClips = {
    plain: await makeH264Clip(folder.path),
    other: await makeH264Clip(folder.path, { width: 320, height: 240, profile: 'high' }),
  };
  scenarios = hostileScenarios(clips);
  cameras = await startHostileCameras({
    steady: wellBehaved(clips.plain),
    ...Object.fromEntries(scenarios.map(({ name, behaviour }) => [name, behaviour])),
  });
  const { modelsDir, model } = await installFixedModel(folder.path);
  const stream = (id: string, path = id) => ({
    id,
    source: { type: 'rtsp', url: cameras.urlOf(path) },
  });
  server = await TestServer.start(
    folder.path,
    fileConfig(folder.path, {
      modelsDir,
      defaults: { infer: { model } },
      pipelines: [
        ...['none', 'protocol', 'media', 'hang'].map((kind) => ({
          id: kind,
          infer: { model },
          streams: [
            stream(`good-${kind}`, 'steady'),
            ...scenarios.filter((one) => one.kind === kind).map(({ name }) => stream(name)),
          ],
        })),
      ],
    }),
  );
  for (const id of [...GOOD, HANDED_OVER]) {
    await server.streamIn(id, ['live'], 20_000);
  }
  controlBytes = residentBytes(server.pid);
});

after(async () => {
  await server[Symbol.asyncDispose]();
  await cameras[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

function residentBytes(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4096;
}

function changesOf(id: string): LogLine[] {
  return server.logs.filter(
    (line) => line['streamId'] === id && /^stream\.[a-z]+$/.test(line.msg) && 'from' in line,
  );
}

function brief({ msg, code = '', message = '' }: LogLine): string {
  return `${msg} ${code} ${String(message).slice(0, 150)}`;
}

test('each hostile camera gets the state and the code that are documented for it', async (t) => {
  for (const { name, expect, mayBeLive } of scenarios) {
    await t.test(name, async () => {
      const [state, codes] = expect;
      await until(`${name} is ${state}`, ENOUGH_MS, () =>
        changesOf(name).some(({ msg, code }) => {
          return (
            msg === `stream.${state}` && (codes.length === 0 || codes.some((one) => one === code))
          );
        }),
      ).catch((error: Error) => {
        throw new Error(`${error.message}; it was ${changesOf(name).map(brief).join(', ')}`);
      });
      const { counters } = (await server.stream(name)).status;
      const live = changesOf(name).some(({ msg }) => msg === 'stream.live');
      if (!mayBeLive) assert.ok(!live, 'it had no picture');
      if (live) assert.ok(counters.framesDecoded > 0, 'live says that a picture was decoded');
    });
  }
});

test('the stream beside a camera that GStreamer cannot leave goes over to a fresh worker without a gap', async () => {
  const recycled = await until('its worker is replaced', ENOUGH_MS, () =>
    server.logs.find(({ msg, ...facts }) => {
      return msg === 'worker.recycled' && facts['pipelineId'] === 'hang';
    }),
  );
  assert.equal(recycled['gap'], false, JSON.stringify(recycled));
  const states = changesOf(HANDED_OVER).map(({ msg }) => msg);
  // Live again, in the session of the fresh worker.
  assert.deepEqual(states, ['stream.connecting', 'stream.live', 'stream.live']);
});

test('meanwhile the streams of good cameras went on without a gap, in the same workers too', async () => {
  const { items } = await server.json<{ items: WorkerView[] }>('/v1/workers');
  for (const { pipelineId, restarts, pid, rssBytes } of items) {
    if (pipelineId !== 'hang') assert.equal(restarts, 0, `the worker of ${pipelineId} did not die`);
    assert.ok((rssBytes ?? 0) < WORKER_BYTES, `${pipelineId} holds ${rssBytes} bytes (${pid})`);
  }
  const grown = residentBytes(server.pid);
  assert.ok(grown < CONTROL_BYTES, `the control process holds ${grown}, at first ${controlBytes}`);
  await server[Symbol.asyncDispose]();
  const frames = await readFrames(`${folder.path}/out`);
  for (const id of GOOD) {
    assertUninterrupted(frames, id, { fps: 10 });
  }
});
