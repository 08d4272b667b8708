import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SightlineError } from '../../src/common/errors.ts';
import { apiUnderTest } from './double.ts';

const RTSP = { type: 'rtsp', url: 'rtsp://camera.example/1' };

test('POST /v1/streams answers 201 with the stream and its location', async () => {
  const { app, created } = await apiUnderTest();
  const reply = await app.inject({
    method: 'POST',
    url: '/v1/streams',
    payload: { id: 'door', source: RTSP },
  });
  assert.equal(reply.statusCode, 201, reply.body);
  assert.equal(reply.headers.location, '/v1/streams/door');
  assert.equal(reply.json().status.state, 'connecting');
  assert.equal(created[0]?.id, 'door');
  await app.close();
});

test('a body with unknown keys and wrong types is refused with every problem at once', async () => {
  const { app, created } = await apiUnderTest();
  const reply = await app.inject({
    method: 'POST',
    url: '/v1/streams',
    payload: { id: 'Bad Id', source: { ...RTSP, latencyMs: '200' }, trakcer: {} },
  });
  assert.equal(reply.statusCode, 400);
  assert.match(String(reply.headers['content-type']), /^application\/problem\+json/);
  const problem = reply.json();
  assert.equal(problem.code, 'SL_REQUEST_INVALID');
  assert.equal(problem.type, 'urn:sightline:error:SL_REQUEST_INVALID');
  assert.equal(problem.instance, '/v1/streams');
  assert.deepEqual(problem.errors.map((error: { pointer: string }) => error.pointer).sort(), [
    '/id',
    '/source/latencyMs',
    '/trakcer',
  ]);
  assert.equal(created.length, 0);
  await app.close();
});

test('errors keep their status and code; what is not ours is answered without its text', async () => {
  const conflict = await apiUnderTest({ fail: new SightlineError('SL_CONFLICT', 'It exists') });
  const refused = await conflict.app.inject({
    method: 'POST',
    url: '/v1/streams',
    payload: { id: 'door', source: RTSP },
  });
  assert.equal(refused.statusCode, 409);
  assert.equal(refused.json().detail, 'It exists');
  await conflict.app.close();

  const broken = await apiUnderTest({ fail: new Error('password hunter2 in /etc/secret') });
  const failed = await broken.app.inject({
    method: 'POST',
    url: '/v1/streams',
    payload: { id: 'door', source: RTSP },
  });
  assert.equal(failed.statusCode, 500);
  assert.doesNotMatch(failed.body, /hunter2/);
  await broken.app.close();
});

test('unknown routes, unknown streams, malformed JSON and wrong media types are problems', async () => {
  const { app } = await apiUnderTest();
  const cases = [
    { request: { method: 'GET', url: '/v1/nothing' }, status: 404, code: 'SL_NOT_FOUND' },
    { request: { method: 'GET', url: '/v1/streams/none' }, status: 404, code: 'SL_NOT_FOUND' },
    { request: { method: 'DELETE', url: '/v1/streams/none' }, status: 404, code: 'SL_NOT_FOUND' },
    {
      request: {
        method: 'POST',
        url: '/v1/streams',
        payload: '{"id":',
        headers: { 'content-type': 'application/json' },
      },
      status: 400,
      code: 'SL_REQUEST_INVALID',
    },
    {
      request: {
        method: 'POST',
        url: '/v1/streams',
        payload: 'id=1',
        headers: { 'content-type': 'text/plain' },
      },
      status: 415,
      code: 'SL_REQUEST_INVALID',
    },
    {
      request: {
        method: 'POST',
        url: '/v1/streams',
        payload: `{"id":"${'a'.repeat(300_000)}"}`,
        headers: { 'content-type': 'application/json' },
      },
      status: 413,
      code: 'SL_REQUEST_INVALID',
    },
  ] as const;
  for (const { request, status, code } of cases) {
    const reply = await app.inject(request);
    assert.equal(reply.statusCode, status, `${request.method} ${request.url}: ${reply.body}`);
    assert.equal(reply.json().code, code);
  }
  await app.close();
});

test('snapshot.svg embeds the picture and escapes what a label holds', async () => {
  const { app } = await apiUnderTest({
    image: {
      data: Uint8Array.of(0xff, 0xd8, 0xff, 0xd9),
      contentType: 'image/jpeg',
      frameSequence: '41',
      session: 's',
      ref: 'door/x.jpg',
      width: 768,
      height: 576,
      receivedAt: new Date(0).toISOString(),
      frame: {
        objects: [
          {
            id: '7',
            type: '<img onerror="x">',
            confidence: 0.5,
            classId: 0,
            framesSinceDetection: 0,
            bbox: { leftX: 1, topY: 2, rightX: 11, bottomY: 22 },
          },
        ],
      } as never,
    },
  });
  await app.inject({ method: 'POST', url: '/v1/streams', payload: { id: 'door', source: RTSP } });
  const svg = await app.inject({ method: 'GET', url: '/v1/streams/door/snapshot.svg?v=1' });
  assert.equal(svg.statusCode, 200);
  assert.match(String(svg.headers['content-type']), /^image\/svg\+xml/);
  assert.match(svg.body, /href="data:image\/jpeg;base64,\/9j\/2Q=="/);
  assert.match(svg.body, /<rect x="1.0" y="2.0" width="10.0" height="20.0"/);
  assert.match(svg.body, /&#60;img onerror=&#34;x&#34;&#62; #7 50%/);
  const jpeg = await app.inject({ method: 'GET', url: '/v1/streams/door/snapshot.jpg' });
  assert.equal(jpeg.headers['x-frame-sequence'], '41');
  assert.deepEqual([...jpeg.rawPayload], [0xff, 0xd8, 0xff, 0xd9]);
  await app.close();
});

test('metrics count engines where there is a cache of them, and name the state preparing', async () => {
  const counts = { reused: 3, built: 2, failed: 1, building: 1, buildSeconds: 240 };
  const { app } = await apiUnderTest({ engines: { ...counts, pruned: 4, cacheBytes: 5000 } });
  await app.inject({ method: 'POST', url: '/v1/streams', payload: { id: 'door', source: RTSP } });
  const lines = (await app.inject('/metrics')).body.split('\n');
  for (const line of [
    'sightline_stream_state{stream_id="door",state="preparing"} 0',
    'sightline_engines_total{result="reused"} 3',
    'sightline_engines_total{result="built"} 2',
    'sightline_engines_total{result="failed"} 1',
    'sightline_engines_building 1',
    'sightline_engine_build_seconds_total 240',
    'sightline_engines_pruned_total 4',
    'sightline_engine_cache_bytes 5000',
  ]) {
    assert.ok(lines.includes(line), line);
  }
  const document = (await app.inject('/openapi.json')).json();
  const { state } = document.components.schemas.StreamStatus.properties;
  assert.ok(state.enum.includes('preparing'));
});

test('readiness says why not; metrics and the OpenAPI document are complete', async () => {
  const { app, notReady } = await apiUnderTest();
  assert.equal((await app.inject('/readyz')).statusCode, 200);
  notReady.push('the outbox folder is full');
  const reply = await app.inject('/readyz');
  assert.equal(reply.statusCode, 503);
  assert.match(reply.json().detail, /the outbox folder is full/);
  assert.equal((await app.inject('/healthz')).json().version, '1.2.3');

  await app.inject({ method: 'POST', url: '/v1/streams', payload: { id: 'door', source: RTSP } });
  const metrics = (await app.inject('/metrics')).body;
  assert.match(metrics, /^sightline_stream_up\{stream_id="door"\} 0$/m);
  assert.match(
    metrics,
    /^sightline_frames_dropped_total\{stream_id="door",stage="infer",reason="busy"\} 1$/m,
  );
  assert.match(metrics, /^outbox_records_delivered_total\{sink="files"\} 6$/m);
  assert.doesNotMatch(metrics, /sightline_engine/);
  assert.match(metrics, /^outbox_oldest_record_age_seconds\{sink="files"\} 1\.5$/m);
  assert.doesNotMatch(metrics, /camera\.example/);

  const document = (await app.inject('/openapi.json')).json();
  assert.equal(document.openapi, '3.1.0');
  for (const path of ['/v1/streams', '/v1/streams/{id}', '/v1/events', '/v1/sinks', '/healthz']) {
    assert.ok(document.paths[path], path);
  }
  assert.ok(document.components.schemas.Problem);
  assert.equal((await app.inject('/docs')).statusCode, 200);
  assert.equal((await app.inject('/')).statusCode, 200);
  await app.close();
});

test('metrics tell of conditions, changes of state, workers, the box and the event loop', async () => {
  const { app, events } = await apiUnderTest();
  await app.inject({ method: 'POST', url: '/v1/streams', payload: { id: 'door', source: RTSP } });
  const facts = { streamId: 'door', pipelineId: 'door' };
  events.emit('stream.stalled', { ...facts, layer: 'decode', code: 'SL_SOURCE_STALLED' });
  events.emit('stream.live', facts);
  events.emit('worker.exited', { pipelineId: 'door', kind: 'died', signal: 'SIGSEGV' });
  events.emit('incident.recorded', { pipelineId: 'door', kind: 'died' });
  const lines = (await app.inject('/metrics')).body.split('\n');
  for (const line of [
    'sightline_frames_received_total{stream_id="door"} 3',
    'sightline_stream_condition{stream_id="door",condition="Connected"} -1',
    'sightline_stream_flapping{stream_id="door"} 0',
    'sightline_stream_transitions_total{stream_id="door",state="stalled",code="SL_SOURCE_STALLED"} 1',
    'sightline_stream_transitions_total{stream_id="door",state="live",code="none"} 1',
    'sightline_stream_stalls_total{stream_id="door",layer="decode"} 1',
    'sightline_worker_exits_total{pipeline_id="door",reason="SIGSEGV"} 1',
    'sightline_incidents_total{pipeline_id="door",kind="died"} 1',
    'sightline_worker_cpu_cores{pipeline_id="door",lane="main"} 0.25',
    'sightline_worker_open_fds{pipeline_id="door",lane="main"} 40',
    'sightline_capacity_cores{what="limit"} 1.8',
    'sightline_event_clients 0',
  ]) {
    assert.ok(lines.includes(line), line);
  }
  assert.ok(
    lines.some((line) => line.startsWith('sightline_event_loop_delay_seconds{quantile="1"}')),
  );
  events.emit('stream.removed', facts);
  const after = (await app.inject('/metrics')).body;
  assert.doesNotMatch(after, /sightline_stream_transitions_total\{/);
  await app.close();
});
