import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { extract } from 'tar-stream';
import { INCIDENT } from './double.ts';
import { api, gate, RTSP } from './support.ts';

const NEW = { 'if-none-match': '*' };

test('a pipeline is made by PUT, read, changed with its ETag, and removed', async () => {
  const { put, get, patch, remove, app } = await api();
  const made = await put('/v1/pipelines/gate', gate(), NEW);
  assert.equal(made.statusCode, 201, made.body);
  assert.equal(made.headers.location, '/v1/pipelines/gate');
  assert.equal(made.headers.etag, '"1"');
  assert.equal((await put('/v1/pipelines/gate', gate(), NEW)).statusCode, 412);

  const changed = await put('/v1/pipelines/gate', gate(['in']), { 'if-match': '"1"' });
  assert.equal(changed.statusCode, 200, changed.body);
  assert.equal(changed.headers.etag, '"2"');
  assert.equal((await get('/v1/streams/in')).headers.etag, '"2"');
  assert.equal((await get('/v1/streams/out')).statusCode, 404);

  const patched = await patch(
    '/v1/pipelines/gate',
    { accelerator: 'cpu' },
    { 'if-match': '"2", "9"' },
  );
  assert.equal(patched.statusCode, 200, patched.body);
  assert.equal(patched.json().spec.accelerator, 'cpu');
  assert.equal(patched.json().generation, 3);

  assert.equal((await remove('/v1/pipelines/gate')).statusCode, 428);
  assert.equal((await remove('/v1/pipelines/gate', { 'if-match': '"2"' })).statusCode, 412);
  assert.equal((await remove('/v1/pipelines/gate', { 'if-match': '*' })).statusCode, 204);
  assert.equal((await get('/v1/pipelines/gate')).statusCode, 404);
  await app.close();
});

test('preconditions: missing, stale, weak, any, and what is no tag', async () => {
  const { post, put, patch, remove, app, desired } = await api();
  await post('/v1/streams', { id: 'door', source: RTSP });
  const change = { sensorId: 'north' };
  const cases = [
    [{}, 428, 'SL_PRECONDITION_REQUIRED'],
    [{ 'if-match': '"7"' }, 412, 'SL_PRECONDITION_FAILED'],
    [{ 'if-match': 'W/"1"' }, 412, 'SL_PRECONDITION_FAILED'],
    [{ 'if-match': '1' }, 400, 'SL_REQUEST_INVALID'],
    [{ 'if-match': '"1' }, 400, 'SL_REQUEST_INVALID'],
    [{ 'if-match': '"1"', 'if-none-match': '*' }, 400, 'SL_REQUEST_INVALID'],
    [{ 'if-none-match': '"1"' }, 400, 'SL_REQUEST_INVALID'],
  ] as const;
  for (const [headers, status, code] of cases) {
    const reply = await patch('/v1/streams/door', change, headers);
    assert.equal(reply.statusCode, status, `${JSON.stringify(headers)}: ${reply.body}`);
    assert.equal(reply.json().code, code);
  }
  assert.equal(desired.getStream('door').generation, 1);
  assert.equal((await patch('/v1/streams/door', change, { 'if-match': '*' })).statusCode, 200);
  // Nothing there: neither a tag nor * can match; without both the client must say what it means.
  const absent = { ...gate(), id: 'none' };
  assert.equal((await put('/v1/pipelines/none', absent, { 'if-match': '*' })).statusCode, 412);
  assert.equal((await put('/v1/pipelines/none', absent)).statusCode, 428);
  assert.equal((await patch('/v1/streams/none', change)).statusCode, 404);
  // A stream may go without a tag, but a stale one is heeded.
  assert.equal((await remove('/v1/streams/door', { 'if-match': '"1"' })).statusCode, 412);
  assert.equal((await remove('/v1/streams/door')).statusCode, 204);
  await app.close();
});

test('a merge patch takes keys away with null, is checked as a whole, and is the only PATCH', async () => {
  const { post, patch, send, get, app } = await api();
  await post('/v1/streams', { id: 'door', source: RTSP, sensorId: 'north' });
  const tagged = { 'if-match': '"1"' };
  const refused = [
    [{ source: null }, 422],
    [{ source: { url: 7 } }, 422],
    [{ status: { state: 'live' } }, 422],
    [{ generation: 9 }, 422],
    [{ owner: 'me' }, 422],
    [{ id: 'other' }, 422],
    [[], 400],
    ['null', 400],
    ['7', 400],
  ] as const;
  for (const [body, status] of refused) {
    const reply = await patch('/v1/streams/door', body, tagged);
    assert.equal(reply.statusCode, status, `${JSON.stringify(body)}: ${reply.body}`);
  }
  for (const type of ['application/json', 'application/json-patch+json', 'text/plain']) {
    const reply = await send('PATCH', '/v1/streams/door', '{}', {
      ...tagged,
      'content-type': type,
    });
    assert.equal(reply.statusCode, 415, type);
    assert.equal(reply.headers['accept-patch'], 'application/merge-patch+json');
  }
  assert.equal((await get('/v1/streams/door')).headers.etag, '"1"');
  const reply = await patch('/v1/streams/door', { sensorId: null }, tagged);
  assert.equal(reply.statusCode, 200, reply.body);
  assert.equal('sensorId' in reply.json().spec, false);
  await app.close();
});

test('what the system writes is refused in what a client writes', async () => {
  const { post, put, app, created } = await api();
  for (const extra of [{ status: {} }, { generation: 3 }, { createdAt: 'now' }, { labels: {} }]) {
    const reply = await post('/v1/streams', { id: 'door', source: RTSP, ...extra });
    assert.equal(reply.statusCode, 400, reply.body);
    const camera = await put('/v1/cameras/north', { name: 'North', ...extra }, NEW);
    assert.equal(camera.statusCode, 400, camera.body);
  }
  const other = await put('/v1/pipelines/else', gate(), NEW);
  assert.equal(other.json().errors[0].pointer, '/id');
  assert.equal(created.length, 0);
  await app.close();
});

test('a change that takes longer is 202 with a job, whose end can be read', async () => {
  const { put, post, get, app, desired } = await api();
  await put('/v1/pipelines/gate', gate(['in']), NEW);
  desired.slow = true;
  const added = await post('/v1/pipelines/gate/streams', { id: 'out', source: RTSP });
  assert.equal(added.statusCode, 202, added.body);
  assert.equal(added.json().id, 'out');
  assert.equal(added.headers['content-location'], '/v1/streams/out');
  const place = String(added.headers.location);
  assert.equal((await get(place)).json().state, 'running');
  desired.finishJobs();
  assert.equal((await get(place)).json().state, 'succeeded');
  desired.slow = false;
  const quick = await post('/v1/pipelines/gate/streams', { id: 'side', source: RTSP });
  assert.equal(quick.statusCode, 201);
  assert.equal(quick.headers.location, '/v1/streams/side');
  const taken = await post('/v1/pipelines/gate/streams', { id: 'side', source: RTSP });
  assert.equal(taken.json().code, 'SL_CONFLICT');

  const restart = await post('/v1/pipelines/gate/restart');
  assert.equal(restart.statusCode, 202, restart.body);
  assert.equal(restart.headers.location, `/v1/jobs/${restart.json().id}`);
  const running = (await get('/v1/jobs?state=running')).json().items;
  assert.deepEqual(
    running.map((job: { kind: string }) => job.kind),
    ['pipeline.restart'],
  );
  assert.equal((await post('/v1/pipelines/none/restart')).statusCode, 404);
  assert.equal((await get('/v1/jobs/none')).statusCode, 404);
  await app.close();
});

test('a camera is declared, beats with a report, and is forgotten', async () => {
  const { put, post, patch, get, remove, app } = await api();
  const spec = { name: 'North gate', heartbeatIntervalMs: 5000 };
  const made = await put('/v1/cameras/CAM:7', spec, NEW);
  assert.equal(made.statusCode, 201, made.body);
  assert.equal(made.headers.location, '/v1/cameras/CAM%3A7');
  const beat = await post('/v1/cameras/CAM:7/heartbeat', { temperature: 41 });
  assert.equal(beat.statusCode, 200, beat.body);
  assert.equal(beat.json().status.lastReport.temperature, 41);
  assert.equal(beat.headers.etag, '"1"');
  assert.equal((await post('/v1/cameras/CAM:7/heartbeat')).statusCode, 200);
  for (const report of [[], 'null', '7', { text: 'x'.repeat(4090) }]) {
    const reply = await post('/v1/cameras/CAM:7/heartbeat', report);
    assert.equal(reply.statusCode, 400, reply.body);
  }
  assert.equal((await post('/v1/cameras/none/heartbeat')).statusCode, 404);
  const patched = await patch(
    '/v1/cameras/CAM:7',
    { heartbeatIntervalMs: null },
    { 'if-match': '"1"' },
  );
  assert.deepEqual(patched.json().spec, { name: 'North gate' });
  assert.equal((await get('/v1/cameras')).json().items.length, 1);
  assert.equal((await remove('/v1/cameras/CAM:7', { 'if-match': '"1"' })).statusCode, 412);
  assert.equal((await remove('/v1/cameras/CAM:7', { 'if-match': '"2"' })).statusCode, 204);
  await app.close();
});

test('lists come in pages that can be followed, with filters; cursors cannot be made up', async () => {
  const { post, get, app } = await api();
  const ids = Array.from({ length: 7 }, (_, n) => `${n % 2 === 0 ? 'live' : 'dark'}-${n}`);
  for (const id of ids) await post('/v1/streams', { id, source: RTSP });
  const seen: string[] = [];
  let next: string | undefined = '/v1/streams?limit=3';
  while (next !== undefined) {
    const reply = await get(next);
    assert.equal(reply.statusCode, 200, reply.body);
    seen.push(...reply.json().items.map((stream: { id: string }) => stream.id));
    next = /^<([^>]+)>; rel="next"$/.exec(String(reply.headers.link ?? ''))?.[1];
  }
  assert.deepEqual(seen, ids);
  const live = await get('/v1/streams?state=live&limit=2');
  assert.deepEqual(
    live.json().items.map((stream: { id: string }) => stream.id),
    ['live-0', 'live-2'],
  );
  const cursor: string = live.json().next;
  const on = await get(`/v1/streams?state=live&limit=200&cursor=${cursor}`);
  assert.deepEqual(
    on.json().items.map((stream: { id: string }) => stream.id),
    ['live-4', 'live-6'],
  );
  const [text = '', mac = ''] = cursor.split('.');
  const forged = Buffer.from('{"list":"/v1/streams?","after":[""],"until":9e15}');
  for (const query of [
    `cursor=${text}.${mac.slice(0, -2)}AA&state=live`,
    `cursor=${forged.toString('base64url')}.${mac}`,
    `cursor=${text}&state=live`,
    // Of another list.
    `cursor=${cursor}`,
    'cursor=',
    'limit=0',
    'limit=-1',
    'limit=201',
    'limit=1e9',
    'limit=1&limit=2',
    'state=asleep',
    "state=' OR 1=1--",
    'pipelineId=%25',
    'source=(a%2B)%2B$',
    'owner=me',
  ]) {
    const reply = await get(`/v1/streams?${query}`);
    assert.equal(reply.statusCode, 400, `${query}: ${reply.body}`);
    assert.equal(reply.json().code, 'SL_REQUEST_INVALID');
  }
  await app.close();
});

test('incidents are listed, their files read, and all of it downloaded; other names are no paths', async () => {
  const { get, app } = await api();
  const base = '/v1/pipelines/door/incidents';
  assert.deepEqual((await get(base)).json().items, [INCIDENT]);
  assert.deepEqual((await get(`${base}/1`)).json(), INCIDENT);
  const file = await get(`${base}/1/files/stderr.txt`);
  assert.equal(file.body, 'oops\n');
  assert.match(String(file.headers['content-type']), /^text\/plain/);
  for (const path of [
    `${base}/2`,
    `${base}/1/files/passwd`,
    `${base}/1/files/..%2f..%2fetc%2fpasswd`,
    `${base}/1/files/%2e%2e`,
    '/v1/pipelines/none/incidents',
    '/v1/pipelines/..%2fdoor/incidents/1',
  ]) {
    assert.equal((await get(path)).statusCode, 404, path);
  }
  assert.equal((await get(`${base}/0`)).statusCode, 400);
  const download = await get(`${base}/1/download`);
  assert.equal(
    download.headers['content-disposition'],
    'attachment; filename="door-incident-1.tar.gz"',
  );
  const names: string[] = [];
  const archive = extract();
  archive.end(gunzipSync(download.rawPayload));
  for await (const entry of archive) {
    names.push(entry.header.name);
    entry.resume();
  }
  assert.deepEqual(names, [
    'door-incident-1/incident.json',
    'door-incident-1/graph.dot',
    'door-incident-1/stderr.txt',
  ]);
  await app.close();
});
