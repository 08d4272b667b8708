import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import {
  SightlineApiError,
  SightlineClient,
  SightlineConnectionError,
  type SightlineEvent,
  SightlineJobError,
} from '../../src/client/index.ts';
import { apiUnderTest, INCIDENT } from '../api/double.ts';
import { until } from '../support/wait.ts';

const RTSP = { type: 'rtsp', url: 'rtsp://camera.example/1' } as const;

async function served() {
  const parts = await apiUnderTest();
  const baseUrl = await parts.app.listen({ host: '127.0.0.1', port: 0 });
  const client = new SightlineClient({ baseUrl, retryBaseMs: 5 });
  return { ...parts, baseUrl, client, [Symbol.asyncDispose]: () => parts.app.close() };
}

test('every resource can be reached', async () => {
  await using server = await served();
  const { client } = server;
  const stream = await client.streams.create({ id: 'door', source: RTSP });
  assert.equal(stream.status.state, 'connecting');
  const made = await client.pipelines.put({ id: 'gate', streams: [{ id: 'in', source: RTSP }] });
  assert.deepEqual([made.created, made.value.generation], [true, 1]);
  const added = await client.pipelines.addStream('gate', { id: 'out', source: RTSP });
  assert.equal(added.value.pipelineId, 'gate');
  const camera = await client.cameras.put('CAM:7', { heartbeatIntervalMs: 5000 });
  assert.equal(camera.created, true);
  assert.deepEqual((await client.cameras.heartbeat('CAM:7', { up: 1 })).status.lastReport, {
    up: 1,
  });
  assert.deepEqual(await client.pipelines.incident('door', 1), INCIDENT);
  assert.equal(await client.pipelines.incidentFile('door', 1, 'stderr.txt'), 'oops\n');
  assert.equal(
    (await fetch(server.baseUrl + client.pipelines.incidentArchive('door', 1))).status,
    200,
  );
  assert.equal((await client.models.get('centernet-512x384')).state, 'ready');
  assert.equal((await client.workers.page()).items.length, 2);
  assert.equal((await client.sinks.list()).items[0]?.id, 'files');
  assert.equal((await client.capacity()).cores, 2);
  assert.equal((await client.fleet()).nodes[0]?.id, 'a');
  await client.streams.remove('door', { ifMatch: 1 });
  await client.pipelines.remove('gate');
  await client.cameras.remove('CAM:7');
  assert.equal((await client.pipelines.page()).items.length, 0);
});

test('lists are followed to their end', async () => {
  await using server = await served();
  const ids = Array.from({ length: 7 }, (_, n) => `cam-${n}`);
  for (const id of ids) await server.client.streams.create({ id, source: RTSP });
  const seen: string[] = [];
  for await (const { id } of server.client.streams.all({ limit: 3, source: 'api' })) seen.push(id);
  assert.deepEqual(seen, ids);
});

test('an update reads and writes again when another one was faster; a stale patch is refused', async () => {
  await using server = await served();
  const { client, desired } = server;
  await client.streams.create({ id: 'door', source: RTSP });
  let reads = 0;
  const { value } = await client.streams.update('door', () => {
    reads += 1;
    if (reads === 1) desired.patchStream('door', { sensorId: 'other' });
    return { accelerator: 'cpu' };
  });
  assert.equal(reads, 2);
  assert.deepEqual([value.generation, value.spec['sensorId']], [3, 'other']);
  await assert.rejects(client.streams.patch('door', {}, { ifMatch: 1 }), (error) => {
    assert.ok(error instanceof SightlineApiError);
    assert.deepEqual([error.status, error.code], [412, 'SL_PRECONDITION_FAILED']);
    assert.equal(error.problem?.instance, '/v1/streams/door');
    return true;
  });
  await client.pipelines.put({ id: 'gate', streams: [{ id: 'in', source: RTSP }] });
  const updated = await client.pipelines.update('gate', (spec) => ({
    ...spec,
    accelerator: 'cpu',
  }));
  assert.equal(updated.value.spec['accelerator'], 'cpu');
});

test('a POST whose answer is lost is sent again under its key and does its work once', async () => {
  await using server = await served();
  const keys: string[] = [];
  let losses = 2;
  const client = new SightlineClient({
    baseUrl: server.baseUrl,
    retryBaseMs: 5,
    fetch: async (input, init) => {
      keys.push(new Headers(init?.headers).get('idempotency-key') ?? '');
      const response = await fetch(input, init);
      if (losses-- > 0) throw new TypeError('the line is cut');
      return response;
    },
  });
  const stream = await client.streams.create({ id: 'door', source: RTSP });
  assert.equal(stream.id, 'door');
  assert.equal(keys.length, 3);
  assert.equal(new Set(keys).size, 1);
  assert.equal(server.created.length, 1);
  losses = 1;
  await assert.rejects(client.streams.remove('door'), SightlineConnectionError);
});

test('jobs are waited for; one that fails says why; a signal ends the wait', async () => {
  await using server = await served();
  const { client, desired } = server;
  await client.pipelines.put({ id: 'gate', streams: [{ id: 'in', source: RTSP }] });
  const job = await client.pipelines.restart('gate');
  const waiting = client.jobs.wait(job.id);
  desired.finishJobs();
  assert.equal((await waiting).state, 'succeeded');
  desired.slow = true;
  const { jobId } = await client.pipelines.patch(
    'gate',
    { accelerator: 'cpu' },
    { ifMatch: 'any' },
  );
  const abort = new AbortController();
  const aborted = client.jobs.wait(jobId!, { signal: abort.signal });
  abort.abort(new Error('enough'));
  await assert.rejects(aborted, /enough/);
  desired.finishJobs('failed');
  await assert.rejects(client.jobs.wait(jobId!), (error) => {
    assert.ok(error instanceof SightlineJobError);
    return error.job.error?.code === 'SL_TIMEOUT';
  });
});

test('events go on after the line broke, filtered, without one lost or twice', async (context) => {
  await using server = await served();
  const { events } = server;
  const abort = new AbortController();
  const lines: AbortController[] = [];
  const client = new SightlineClient({
    baseUrl: server.baseUrl,
    fetch: (input, init) => {
      const line = new AbortController();
      lines.push(line);
      return fetch(input, { ...init, signal: AbortSignal.any([init!.signal!, line.signal]) });
    },
  });
  const seen: SightlineEvent[] = [];
  let open = false;
  // Done at the very moment the line is lost: the next one can be up before anyone looks.
  let whenLost = () => {};
  const watching = (async () => {
    const onConnection = (up: boolean) => {
      open = up;
      if (!up) whenLost();
    };
    for await (const event of client.events({
      types: ['stream.*'],
      signal: abort.signal,
      onConnection,
    })) {
      seen.push(event);
    }
  })();
  context.after(() => abort.abort());
  // The server's own count of events subscribes too.
  await until('the line is up', 5000, () => open && events.stats.subscribers === 2);
  // In the gap: nothing had come before, and still it resumes where it was.
  whenLost = () => {
    events.emit('stream.live', { streamId: 'a' });
    events.emit('worker.exited', { pipelineId: 'a' });
  };
  lines[0]!.abort();
  await until('the event of the gap', 10_000, () => seen.length === 1);
  events.emit('stream.backoff', { streamId: 'a' });
  await until('the next event', 5000, () => seen.length === 2);
  whenLost = () => {
    for (let n = 0; n < 20; n += 1) events.emit('stream.live', { streamId: 'b' });
  };
  lines[1]!.abort();
  await until('the reset', 10_000, () => seen.length === 3);
  assert.deepEqual(
    seen.map(({ type }) => type),
    ['stream.live', 'stream.backoff', 'reset'],
  );
  abort.abort();
  await watching;
  const refused = client.events({ since: -1 });
  await assert.rejects(refused.next(), { code: 'SL_REQUEST_INVALID' });
});

test('a proxy that answers HTML, and no server at all, are errors of their own', async () => {
  const proxy = createServer((_request, response) => response.writeHead(502).end('<html>'));
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const { port } = proxy.address() as AddressInfo;
  const client = new SightlineClient({ baseUrl: `http://127.0.0.1:${port}`, retries: 1 });
  await assert.rejects(client.capacity(), { name: 'SightlineApiError', code: 'HTTP_502' });
  await new Promise((resolve) => proxy.close(resolve));
  const gone = new SightlineClient({ baseUrl: `http://127.0.0.1:${port}`, retryBaseMs: 1 });
  await assert.rejects(gone.capacity(), SightlineConnectionError);
});
