import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { FrameJson } from '../../src/metadata/frame-json.ts';
import { startCamera, type TestCamera } from '../support/camera.ts';
import { fileConfig, freePort } from '../support/config.ts';
import { installFixedModel } from '../support/fixed-model.ts';
import { TestServer, temporaryFolder } from '../support/server.ts';
import { until } from '../support/wait.ts';

const ADMIN = 'boss-token';
const ADDED = 'STREAM_ADD_SUCCESS';
const NOT_ADDED = 'STREAM_ADD_FAIL, Failed to add source stream';
/** A camera that is up is found live within this, on a machine with other work. */
const ADD_TIMEOUT_MS = 60_000;

/** Of the camera: 30 frames a second. */
const FAST = ['--fps', '30'];

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let models: Awaited<ReturnType<typeof installFixedModel>>;
let camera: TestCamera;
let server: TestServer;
let nvidia = '';

function config(more: object = {}): object {
  return fileConfig(folder.path, {
    modelsDir: models.modelsDir,
    defaults: { infer: { model: models.model } },
    nvidiaRest: { port: 0, addTimeoutMs: ADD_TIMEOUT_MS, adminToken: ADMIN, ...more },
  });
}

async function start(more: object = {}): Promise<void> {
  server = await TestServer.start(folder.path, config(more));
  const line = await until('the facade listens', 10_000, () =>
    server.logs.find(({ msg }) => msg === 'nvidia.listening'),
  );
  nvidia = String(line['url']);
}

before(async () => {
  folder = await temporaryFolder();
  models = await installFixedModel(folder.path);
  camera = await startCamera({ args: FAST });
  await start();
});

after(async () => {
  await server[Symbol.asyncDispose]();
  await camera.kill();
  await folder[Symbol.asyncDispose]();
});

async function post(path: string, body: object, headers: Record<string, string> = {}) {
  const reply = await fetch(`${nvidia}/api/v1/${path}`, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(ADD_TIMEOUT_MS + 10_000),
  });
  assert.equal(reply.status, 200);
  return (await reply.json()) as { reason: string; status: string };
}

async function sensor(change: string, cameraId: string, url: string): Promise<string> {
  const value = { camera_id: cameraId, camera_name: 'front', camera_url: url, change };
  return (await post(`stream/${change}`, { key: 'sensor', value })).reason;
}

async function control(path: string, fields: object): Promise<string> {
  return (await post(path, { stream: { stream_id: '0', ...fields } })).reason;
}

async function listed(): Promise<readonly (readonly [string, number])[]> {
  const reply = await fetch(`${nvidia}/api/v1/stream/get-stream-info`);
  const body = (await reply.json()) as {
    'stream-info': { 'stream-info': { camera_id: string; source_id: number }[] };
  };
  return body['stream-info']['stream-info'].map((item) => [item.camera_id, item.source_id]);
}

async function onlyId(): Promise<string> {
  const { items } = await server.json<{ items: { id: string }[] }>('/v1/streams');
  assert.equal(items.length, 1);
  return items[0]!.id;
}

async function counters(id: string) {
  return (await server.stream(id)).status.counters;
}

/** How the counters grow while at least `pictures` come from the camera. */
async function growth(id: string, pictures: number) {
  const before = await counters(id);
  const now = await until(`${pictures} pictures`, 60_000, async () => {
    const current = await counters(id);
    const came = current.framesDecoded - before.framesDecoded;
    const skipped = current.framesSkipped - before.framesSkipped;
    return came + skipped >= pictures && current;
  });
  return {
    decoded: now.framesDecoded - before.framesDecoded,
    inferred: now.framesInferred - before.framesInferred,
    skipped: now.framesSkipped - before.framesSkipped,
  };
}

test('honest: an add is a success when the camera is live, and nothing is left of one that is not', async () => {
  const dead = `rtsp://127.0.0.1:${await freePort()}/cam`;
  assert.equal(await sensor('add', 'Front Door #1', camera.url), ADDED);
  const id = await onlyId();
  assert.equal((await server.stream(id)).status.state, 'live');
  for (const url of [
    dead,
    camera.url.replace(/\/cam$/, '/nowhere'),
    'file:///etc/passwd',
    'http://127.0.0.1/x.mp4',
    'rtsp://127.0.0.1:9/$(reboot)',
  ]) {
    assert.equal(await sensor('add', 'other', url), NOT_ADDED, url);
  }
  assert.deepEqual(await listed(), [['Front Door #1', 0]]);
  assert.equal(await onlyId(), id);
  const { items } = await server.json<{ items: unknown[] }>('/v1/workers');
  assert.equal(items.length, 1, 'no worker of the failed ones');
});

test('infer/set-interval shows in what the detector looks at', async () => {
  const id = await onlyId();
  assert.equal(
    await control('infer/set-interval', { interval: 9 }),
    'INFER_INTERVAL_UPDATE_SUCCESS',
  );
  await growth(id, 10);
  const few = await growth(id, 40);
  assert.ok(few.inferred > 0 && few.inferred * 5 < few.decoded, JSON.stringify(few));
  assert.equal(
    await control('infer/set-interval', { interval: 0 }),
    'INFER_INTERVAL_UPDATE_SUCCESS',
  );
  await growth(id, 10);
  const all = await growth(id, 20);
  // A slow machine skips frames; what was not skipped was looked at.
  assert.ok(all.inferred + all.skipped >= all.decoded - 12, JSON.stringify(all));
  assert.deepEqual((await server.stream(id)).changes, { inferInterval: 0 });
});

test('dec/drop-frame-interval and dec/skip-frames leave out frames, and every one is counted', async () => {
  const id = await onlyId();
  assert.equal(
    await control('dec/drop-frame-interval', { drop_frame_interval: 5 }),
    'DROP_FRAME_INTERVAL_UPDATE_SUCCESS',
  );
  await growth(id, 10);
  const thin = await growth(id, 40);
  assert.ok(thin.inferred * 4 <= thin.decoded + 8 && thin.inferred > 0, JSON.stringify(thin));
  assert.equal(
    await control('dec/drop-frame-interval', { drop_frame_interval: 0 }),
    'DROP_FRAME_INTERVAL_UPDATE_SUCCESS',
  );
  assert.equal(await control('dec/skip-frames', { skip_frames: 2 }), 'SKIP_FRAMES_UPDATE_SUCCESS');
  await growth(id, 20);
  const keys = await growth(id, 60);
  assert.ok(keys.decoded * 4 < keys.skipped, JSON.stringify(keys));
  assert.equal(await control('dec/skip-frames', { skip_frames: 0 }), 'SKIP_FRAMES_UPDATE_SUCCESS');
  assert.equal((await server.stream(id)).status.state, 'live');
  assert.equal(
    await control('dec/low-latency-mode', { low_latency_mode: true }),
    'LOW_LATENCY_MODE_UPDATE_FAIL, low-latency-mode not set on decoder',
  );
});

test('roi/update gives a running stream zones; analytics/reload-config reads them again', async () => {
  const id = await onlyId();
  const roi = [
    { roi_id: 'left', left: 0, top: 0, width: 300, height: 500 },
    { roi_id: 'Right Half', left: 384, top: 0, width: 9000, height: 9000 },
    { roi_id: 'not sent', left: 0, top: 0, width: 1, height: 1 },
  ];
  assert.equal(await control('roi/update', { roi_count: 2, roi }), 'ROI_UPDATE_SUCCESS');
  const zones = await until('zones in the metadata', 20_000, async () => {
    const { analytics } = await server.json<FrameJson>(`/v1/streams/${id}/frame`);
    return analytics?.zones?.length === 2 && analytics.zones;
  });
  assert.deepEqual(
    zones.map((zone) => zone.id),
    ['left', `right-half-${zones[1]!.id.slice(-10)}`],
  );
  assert.equal(
    await control('roi/update', { roi_count: 1, roi: [{ ...roi[0], width: 0 }] }),
    'ROI_UPDATE_FAIL, nv-roi-update event creation failed',
  );
  const reload = { stream: { config_file_path: '/etc/passwd' } };
  assert.equal(
    (await post('analytics/reload-config', reload)).reason,
    'RELOAD_CONFIG_UPDATE_SUCCESS',
  );
});

test('a change outlives the camera', async () => {
  const id = await onlyId();
  assert.equal(
    await control('infer/set-interval', { interval: 9 }),
    'INFER_INTERVAL_UPDATE_SUCCESS',
  );
  await camera.kill();
  await server.streamIn(id, ['backoff'], 30_000);
  camera = await startCamera({ port: camera.port, args: FAST });
  await server.streamIn(id, ['live'], 60_000);
  await growth(id, 10);
  const few = await growth(id, 40);
  assert.ok(few.inferred > 0 && few.inferred * 5 < few.decoded, JSON.stringify(few));
});

test('after a restart the stream has its name and number; app/quit ends the server in order', async () => {
  const quit = (headers: Record<string, string>) =>
    fetch(`${nvidia}/api/v1/app/quit`, {
      method: 'POST',
      body: '{"app":{"app_quit":true}}',
      headers,
    });
  assert.equal((await quit({})).status, 403);
  const done = (await (await quit({ authorization: `Bearer ${ADMIN}` })).json()) as object;
  assert.deepEqual(done, { reason: 'QUIT_SUCCESS', status: 'HTTP/1.1 200 OK' });
  assert.equal(await server.exited(15_000), 0);
  // What cannot be reached is a success here, as with NVIDIA's server.
  await start({ compat: 'strict' });
  assert.deepEqual(await listed(), [['Front Door #1', 0]]);
  const dead = `rtsp://127.0.0.1:${await freePort()}/cam`;
  assert.equal(await sensor('add', 'dead', dead), ADDED);
  assert.deepEqual(await listed(), [
    ['dead', 1],
    ['Front Door #1', 0],
  ]);
  await server.streamIn('dead', ['backoff'], 20_000);
  assert.equal(await sensor('remove', 'dead', dead), 'STREAM_REMOVE_SUCCESS');
  assert.equal(
    await sensor('remove', 'Front Door #1', `${camera.url}x`),
    'STREAM_REMOVE_FAIL, No record found. Failed to remove source stream',
  );
  assert.equal(await sensor('remove', 'Front Door #1', camera.url), 'STREAM_REMOVE_SUCCESS');
  assert.deepEqual(await listed(), []);
});

test('an address that others reach needs a token, and says so before anything starts', async () => {
  const open = await TestServer.launch(folder.path, config({ host: '0.0.0.0' }));
  assert.notEqual(await open.exited(15_000), 0);
  assert.match(open.stderr.join('\n'), /SL_CONFIG_INVALID[\s\S]*nvidiaRest[\s\S]*"token"/);
});
