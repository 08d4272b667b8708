import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { ROOT } from '../../src/common/paths.ts';
import { api, gate, RTSP } from './support.ts';

const FILE = join(ROOT, 'docs', 'openapi.json');

interface Operation {
  readonly responses: Record<string, { content?: Record<string, { schema: object }> }>;
  readonly requestBody?: { content: Record<string, unknown> };
}
interface Document {
  readonly info: { version: string };
  readonly paths: Record<string, Record<string, Operation>>;
}

test('docs/openapi.json is what the server gives (SIGHTLINE_GOLDEN=write makes it anew)', async () => {
  const { get, app } = await api();
  const document = (await get('/openapi.json')).json() as Document;
  document.info.version = 'v1';
  const current = `${JSON.stringify(document, null, 2)}\n`;
  if (process.env['SIGHTLINE_GOLDEN'] === 'write') writeFileSync(FILE, current);
  assert.ok(readFileSync(FILE, 'utf8') === current, 'docs/openapi.json is behind the routes');
  await app.close();
});

test('every answer is one that the document promises, on every route', async () => {
  const answer = { columns: [{ name: 'n', type: 'BIGINT' }], truncated: false, elapsedMs: 1 };
  const query = { run: async () => ({ ...answer, rows: [[1], [null]] }) };
  const { app, get, post, put, patch, remove } = await api({ query });
  const document = (await get('/openapi.json')).json() as Document;
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  ajv.addSchema(document, 'doc');
  const called = new Set<string>();

  const check = (path: string, reply: Awaited<ReturnType<typeof get>>): void => {
    const method = reply.raw.req.method!.toLowerCase();
    const operation = document.paths[path]?.[method];
    const name = `${method} ${path}`;
    assert.ok(operation, `${name} is not in the document`);
    const answer = operation.responses[String(reply.statusCode)];
    assert.ok(answer, `${name} does not tell of ${reply.statusCode}: ${reply.body}`);
    called.add(name);
    const type = String(reply.headers['content-type'] ?? '').split(';', 1)[0]!;
    if (reply.statusCode === 204) {
      assert.equal(reply.body, '');
      return;
    }
    assert.ok(answer.content?.[type], `${name} ${reply.statusCode} promises no ${type}`);
    if (!type.endsWith('json')) return;
    const pointer = ['paths', path, method, 'responses', String(reply.statusCode), 'content', type];
    const encoded = pointer.map((part) => part.replaceAll('~', '~0').replaceAll('/', '~1'));
    const validate = ajv.getSchema(`doc#/${encoded.map(encodeURIComponent).join('/')}/schema`);
    assert.ok(validate, `${name} has a schema`);
    assert.ok(validate(reply.json()), `${name}: ${ajv.errorsText(validate.errors)}`);
  };

  const tag = { 'if-match': '*' };
  const none = { 'if-none-match': '*' };
  check('/healthz', await get('/healthz'));
  check('/readyz', await get('/readyz'));
  check('/metrics', await get('/metrics'));
  check('/v1/streams', await post('/v1/streams', { id: 'door', source: RTSP }));
  check('/v1/streams', await post('/v1/streams', { id: 'door', source: RTSP }));
  check('/v1/streams', await post('/v1/streams', {}));
  check('/v1/streams', await post('/v1/streams', '{', { 'content-type': 'text/plain' }));
  check('/v1/streams', await get('/v1/streams?limit=1'));
  check('/v1/streams', await get('/v1/streams?limit=0'));
  check('/v1/streams/{id}', await get('/v1/streams/door'));
  check('/v1/streams/{id}', await get('/v1/streams/none'));
  check('/v1/streams/{id}', await patch('/v1/streams/door', { sensorId: 'north' }, tag));
  check('/v1/streams/{id}', await patch('/v1/streams/door', { sensorId: 'north' }));
  check('/v1/streams/{id}/frame', await get('/v1/streams/door/frame'));
  check('/v1/streams/{id}/snapshot.jpg', await get('/v1/streams/door/snapshot.jpg'));
  check('/v1/streams/{id}/snapshot.svg', await get('/v1/streams/door/snapshot.svg?w=1'));
  check('/v1/pipelines', await post('/v1/pipelines', gate(['a'])));
  check('/v1/pipelines', await get('/v1/pipelines'));
  check('/v1/pipelines/{id}', await put('/v1/pipelines/gate', gate(['a', 'b']), tag));
  check('/v1/pipelines/{id}', await put('/v1/pipelines/gate', gate(), none));
  check('/v1/pipelines/{id}', await get('/v1/pipelines/gate'));
  check('/v1/pipelines/{id}', await patch('/v1/pipelines/gate', { streams: [] }, tag));
  check('/v1/pipelines/{id}/restart', await post('/v1/pipelines/gate/restart'));
  check(
    '/v1/pipelines/{id}/streams',
    await post('/v1/pipelines/gate/streams', { id: 'c', source: RTSP }),
  );
  check('/v1/jobs', await get('/v1/jobs'));
  check('/v1/jobs/{id}', await get('/v1/jobs/job-1'));
  check('/v1/pipelines/{id}/incidents', await get('/v1/pipelines/door/incidents'));
  const incident = '/v1/pipelines/{id}/incidents/{n}';
  check(incident, await get('/v1/pipelines/door/incidents/1'));
  check(`${incident}/files/{name}`, await get('/v1/pipelines/door/incidents/1/files/stderr.txt'));
  check(`${incident}/download`, await get('/v1/pipelines/door/incidents/1/download'));
  check('/v1/cameras/{id}', await put('/v1/cameras/north', { name: 'N' }, none));
  check('/v1/cameras/{id}', await patch('/v1/cameras/north', { name: 7 }, tag));
  check('/v1/cameras/{id}', await get('/v1/cameras/north'));
  check('/v1/cameras/{id}/heartbeat', await post('/v1/cameras/north/heartbeat', { up: 1 }));
  check('/v1/cameras', await get('/v1/cameras'));
  check('/v1/cameras/{id}', await remove('/v1/cameras/north', tag));
  check('/v1/workers', await get('/v1/workers'));
  check('/v1/capacity', await get('/v1/capacity'));
  check('/v1/models', await get('/v1/models'));
  check('/v1/models/{id}', await get('/v1/models/centernet-512x384'));
  const sink = { id: 'files', type: 'file', dir: 'out' };
  check('/v1/sinks', await get('/v1/sinks'));
  check('/v1/sinks/{id}', await get('/v1/sinks/files'));
  check('/v1/sinks/{id}', await get('/v1/sinks/none'));
  check('/v1/sinks/{id}', await put('/v1/sinks/files', sink, tag));
  check('/v1/sinks/{id}', await put('/v1/sinks/files', sink));
  check('/v1/sinks/{id}', await patch('/v1/sinks/files', { required: false }, tag));
  check('/v1/sinks/{id}', await remove('/v1/sinks/files', tag));
  check('/v1/sinks/{id}/pause', await post('/v1/sinks/files/pause'));
  check('/v1/sinks/{id}/resume', await post('/v1/sinks/files/resume'));
  check('/v1/sinks/{id}/forget', await post('/v1/sinks/files/forget'));
  check('/v1/dead-letters', await get('/v1/dead-letters?limit=1'));
  check('/v1/dead-letters', await get('/v1/dead-letters?cursor=x'));
  check('/v1/dead-letters/{id}', await get('/v1/dead-letters/7'));
  check('/v1/dead-letters/{id}', await get('/v1/dead-letters/8'));
  check('/v1/dead-letters/retry', await post('/v1/dead-letters/retry', { ids: ['7'] }));
  check('/v1/dead-letters/purge', await post('/v1/dead-letters/purge', { sinkId: 'files' }));
  check('/v1/dead-letters/purge', await post('/v1/dead-letters/purge', {}));
  check('/v1/rules', await get('/v1/rules'));
  check('/v1/rule-events', await get('/v1/rule-events?rule=crowd&from=2026-01-01T00:00:00Z'));
  check('/v1/rule-events', await get('/v1/rule-events?from=yesterday'));
  check('/v1/rule-events/{id}', await get('/v1/rule-events/0123456789abcdef0123456789'));
  check('/v1/rule-events/{id}', await get('/v1/rule-events/none'));
  check('/v1/recordings', await get('/v1/recordings?stream=door&limit=1'));
  check('/v1/recordings', await get('/v1/recordings'));
  check('/v1/recordings/gaps', await get('/v1/recordings/gaps?stream=door&date=2026-01-31'));
  check('/v1/recordings/gaps', await get('/v1/recordings/gaps?stream=none&date=2026-01-31'));
  const clip = '/v1/recordings/clip.mp4?stream=door&from=2026-01-31T13:00:00Z&to=2026-01-31T';
  check('/v1/recordings/clip.mp4', await get(`${clip}13:00:10Z`));
  check('/v1/recordings/clip.mp4', await get(`${clip}12:00:00Z`));
  check('/v1/recordings/{id}/video', await get('/v1/recordings/1/video'));
  check('/v1/recordings/{id}/video', await get('/v1/recordings/2/video'));
  check('/v1/query', await post('/v1/query', { sql: 'SELECT 1', parameters: ['a', null] }));
  check('/v1/query', await post('/v1/query', { sql: 'SELECT 1', limit: 0 }));
  check('/v1/fleet', await get('/v1/fleet'));
  check('/v1/fleet/streams', await get('/v1/fleet/streams?limit=1'));
  check('/v1/fleet/streams', await get('/v1/fleet/streams?cursor=x'));
  check('/v1/fleet/streams/{id}', await put('/v1/fleet/streams/door', { source: RTSP }));
  check('/v1/fleet/streams/{id}', await put('/v1/fleet/streams/new', { source: RTSP }));
  check('/v1/fleet/streams/{id}', await put('/v1/fleet/streams/new', []));
  check('/v1/fleet/streams/{id}', await get('/v1/fleet/streams/door'));
  check('/v1/fleet/streams/{id}', await get('/v1/fleet/streams/none'));
  const stale = { 'if-match': '"7"' };
  check('/v1/fleet/streams/{id}', await remove('/v1/fleet/streams/door', stale));
  check('/v1/fleet/streams/{id}', await remove('/v1/fleet/streams/door'));
  check('/v1/metadata', await get('/v1/metadata?since=x'));
  check('/v1/events', await get('/v1/events?since=x'));
  check('/v1/pipelines/{id}', await remove('/v1/pipelines/gate', tag));
  check('/v1/streams/{id}', await remove('/v1/streams/door'));

  const promised = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method} ${path}`),
  );
  assert.deepEqual([...called].sort(), promised.sort(), 'every operation was asked');
  await app.close();
});

test('a PATCH takes a merge patch alone in the document too', async () => {
  const { get, app } = await api();
  const document = (await get('/openapi.json')).json() as Document;
  for (const [path, operations] of Object.entries(document.paths)) {
    const { requestBody } = operations['patch'] ?? {};
    if (requestBody === undefined) continue;
    assert.deepEqual(Object.keys(requestBody.content), ['application/merge-patch+json'], path);
  }
  await app.close();
});
