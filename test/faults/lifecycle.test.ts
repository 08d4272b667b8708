import assert from 'node:assert/strict';
import { test } from 'node:test';
import { probeApi } from '../support/api-probe.ts';
import { fileConfig, freePort } from '../support/config.ts';
import { readFrames } from '../support/delivered.ts';
import { startFaultWorld } from '../support/fault-world.ts';
import { assertUninterrupted } from '../support/frame-gaps.ts';
import { makeH264Clip } from '../support/h264-clip.ts';
import { startHostileCameras, wellBehaved } from '../support/hostile-camera.ts';
import { isAlive } from '../support/processes.ts';
import { TestServer, temporaryFolder } from '../support/server.ts';
import { until } from '../support/wait.ts';

const LIVE_MS = 20_000;
/** Noticing that a worker hangs takes 3 s here, ending it 5 s. */
const AGAIN_MS = 40_000;
/** An answer may take this long while processes start on a busy machine. */
const SLOW_ANSWER_MS = 3_000;

test('a worker that is killed, crashes or hangs comes back, and no other pipeline notices', async () => {
  await using world = await startFaultWorld({
    pipelines: { killed: ['k1', 'k2'], crashed: ['c1'], hung: ['h1'], apart: ['a1', 'a2'] },
    config: { workers: { heartbeatMs: 3_000 } },
  });
  const { server } = world;
  await world.allLive(LIVE_MS);
  await using probe = probeApi(server);
  const faults = { killed: 'SIGKILL', crashed: 'SIGSEGV', hung: 'SIGSTOP' } as const;
  const before = new Map<string, number>();
  for (const [pipeline, signal] of Object.entries(faults)) {
    const { pid } = await world.worker(pipeline);
    before.set(pipeline, pid!);
    process.kill(pid!, signal);
  }
  await Promise.all(
    Object.entries({ killed: ['k1', 'k2'], crashed: ['c1'], hung: ['h1'] }).map(
      async ([pipeline, streams]) => {
        await until(`${pipeline} has another worker`, AGAIN_MS, async () => {
          return (await world.worker(pipeline)).pid !== before.get(pipeline);
        });
        await Promise.all(streams.map((id) => server.streamIn(id, ['live'], AGAIN_MS)));
      },
    ),
  );
  assert.ok(![...before.values()].some(isAlive), 'the old workers are gone');
  const { failures, latenciesMs } = await probe.stop();
  assert.deepEqual(failures, []);
  assert.ok(Math.max(...latenciesMs) < SLOW_ANSWER_MS, `${Math.max(...latenciesMs)} ms`);
  const exits = server.logs.filter(({ msg }) => msg === 'worker.exited');
  assert.equal(exits.length, 3, JSON.stringify(exits));
  await server[Symbol.asyncDispose]();
  const frames = await readFrames(`${world.folder}/out`);
  for (const id of ['a1', 'a2']) assertUninterrupted(frames, id, { fps: 10 });
});

test('a server that is killed leaves no process, and after its restart the same streams are live', async () => {
  await using folder = await temporaryFolder();
  await using cameras = await startHostileCameras({
    cam: wellBehaved(await makeH264Clip(folder.path)),
  });
  const config = fileConfig(folder.path);
  const first = await TestServer.start(folder.path, config);
  const ids = ['one', 'two'];
  for (const id of ids) {
    const source = { type: 'rtsp', url: cameras.urlOf('cam') };
    assert.equal((await first.request('POST', '/v1/streams', { id, source })).status, 201);
  }
  for (const id of ids) await first.streamIn(id, ['live'], LIVE_MS);
  const processes = first.tree().map(({ pid }) => pid);
  assert.ok(processes.length >= 3);
  first.signal('SIGKILL');
  await until('no process is left', 3_000, () => !processes.some(isAlive));
  await using second = await TestServer.start(folder.path, config);
  // The camera's own time is its wait for a key frame: a second.
  await Promise.all(ids.map((id) => second.streamIn(id, ['live'], 6_000)));
});

test('a camera that is gone is tried with growing pauses, and is live when it is back', async () => {
  await using folder = await temporaryFolder();
  const cam = { cam: wellBehaved(await makeH264Clip(folder.path)) };
  const port = await freePort();
  const camera = await startHostileCameras(cam, port);
  await using server = await TestServer.start(folder.path, fileConfig(folder.path));
  const source = { type: 'rtsp', url: camera.urlOf('cam') };
  await server.request('POST', '/v1/streams', { id: 'cam', source });
  await server.streamIn('cam', ['live'], LIVE_MS);
  await camera[Symbol.asyncDispose]();
  const away = await until('it was tried twice in vain', LIVE_MS, async () => {
    const { status } = await server.stream('cam');
    return status.attempt >= 2 && status.state === 'backoff' && status;
  });
  assert.equal(away.reason?.code, 'SL_SOURCE_UNREACHABLE');
  assert.ok(away.retryAt !== undefined);
  await using back = await startHostileCameras(cam, port);
  const live = await server.streamIn('cam', ['live'], LIVE_MS);
  assert.equal(live.status.attempt, 0);
  assert.ok(back.connections.length >= 1);
});
