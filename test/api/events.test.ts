import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { test } from 'node:test';
import { SightlineClient } from '../../src/client/index.ts';
import { frameRecord } from '../sinks/samples.ts';
import { until } from '../support/wait.ts';
import { apiUnderTest } from './double.ts';

async function listen(url: string, headers: Record<string, string> = {}) {
  const request = get(url, { headers });
  const [reply] = (await once(request, 'response', { signal: AbortSignal.timeout(5000) })) as [
    IncomingMessage,
  ];
  let text = '';
  reply.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  return { reply, text: () => text, close: () => request.destroy() };
}

test('events arrive as they happen and resume after Last-Event-ID', async () => {
  const { app, events } = await apiUnderTest();
  const url = `${await app.listen({ host: '127.0.0.1', port: 0 })}/v1/events`;
  const first = await listen(url);
  assert.equal(first.reply.statusCode, 200);
  events.emit('stream.live', { streamId: 'door' });
  await until('the event arrives', 3000, () => first.text().includes('event: stream.live'));
  assert.match(first.text(), /id: 101\nevent: stream\.live\ndata: \{.*"streamId":"door".*\}\n\n/);
  first.close();

  events.emit('stream.backoff', { streamId: 'door' });
  const second = await listen(url, { 'last-event-id': '101' });
  await until('the missed event arrives', 3000, () => second.text().includes('stream.backoff'));
  assert.doesNotMatch(second.text(), /stream\.live/);
  second.close();

  for (let count = 0; count < 20; count += 1) events.emit('stream.live', { streamId: 'door' });
  const third = await listen(url, { 'last-event-id': '101' });
  await until('the reset arrives', 3000, () => third.text().startsWith('event: reset\n'));
  third.close();

  const bad = await fetch(url, { headers: { 'last-event-id': 'x' } });
  assert.equal(bad.status, 400);
  await app.close();
});

test('closing the server ends open event streams', async () => {
  const { app } = await apiUnderTest();
  const url = `${await app.listen({ host: '127.0.0.1', port: 0 })}/v1/events`;
  const stream = await listen(url);
  const ended = once(stream.reply, 'close', { signal: AbortSignal.timeout(3000) });
  await app.close();
  await ended;
});

test('events are filtered by type, stream and pipeline; what is no filter or id is refused', async () => {
  const { app, events } = await apiUnderTest();
  const url = `${await app.listen({ host: '127.0.0.1', port: 0 })}/v1/events`;
  const client = await listen(`${url}?types=stream.*,worker.exited&pipelineId=gate`);
  events.emit('stream.live', { streamId: 'a', pipelineId: 'other' });
  events.emit('incident.recorded', { pipelineId: 'gate' });
  events.emit('stream.live', { streamId: 'b', pipelineId: 'gate' });
  events.emit('worker.exited', { pipelineId: 'gate' });
  await until('the last event', 3000, () => client.text().includes('event: worker.exited'));
  assert.deepEqual(client.text().match(/^event: .*$/gm), [
    'event: stream.live',
    'event: worker.exited',
  ]);
  client.close();
  for (const query of ['types=', 'types=*', 'types=stream', 'streamId=%25', 'since=-1', 'x=1']) {
    assert.equal((await fetch(`${url}?${query}`)).status, 400, query);
  }
  for (const id of ['-1', '1e3', '99999999999999999', '9999999999999999', '1 OR 1=1']) {
    assert.equal((await fetch(url, { headers: { 'last-event-id': id } })).status, 400, id);
  }
  const ahead = await listen(url, { 'last-event-id': '9007199254740991' });
  await until('a reset', 3000, () => ahead.text().startsWith('event: reset\n'));
  ahead.close();
  await app.close();
});

test('a client that never reads is cut off, and what waits for it is bounded', async () => {
  const { app, events } = await apiUnderTest();
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as { port: number };
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  socket.pause();
  await once(socket, 'connect', { signal: AbortSignal.timeout(3000) });
  socket.write('GET /v1/events HTTP/1.1\r\nHost: a\r\n\r\n');
  await until('it is subscribed', 3000, () => events.stats.subscribers === 2);
  const text = 'x'.repeat(4000);
  let emitted = 0;
  await until('it is cut off as too slow', 20_000, () => {
    for (let count = 0; count < 500; count += 1) events.emit('stream.changed', { text });
    emitted += 500;
    return events.stats.slowDisconnects === 1;
  });
  await until('its connection is closed', 5000, async () => {
    const open = await new Promise<number>((resolve) => {
      app.server.getConnections((_error, count) => resolve(count));
    });
    return open === 0;
  });
  assert.equal(events.stats.subscribers, 1, `after ${emitted} events`);
  socket.destroy();
  await app.close();
});

test('the 101st event stream is refused, and has room when one has gone', async () => {
  const { app, events } = await apiUnderTest();
  const url = `${await app.listen({ host: '127.0.0.1', port: 0 })}/v1/events`;
  const clients = await Promise.all(Array.from({ length: 100 }, () => listen(url)));
  const refused = await fetch(url);
  assert.equal(refused.status, 503);
  assert.equal(((await refused.json()) as { code: string }).code, 'SL_UNAVAILABLE');
  clients[0]!.close();
  await until('one has gone', 3000, () => events.stats.subscribers === 100);
  const next = await listen(url);
  assert.equal(next.reply.statusCode, 200);
  for (const client of [next, ...clients]) client.close();
  await app.close();
});

test('frames come as they are, of one stream; who does not keep up is told what it missed', async () => {
  const { app, live } = await apiUnderTest();
  const url = `${await app.listen({ host: '127.0.0.1', port: 0 })}/v1/metadata`;
  const client = await listen(`${url}?streamId=cam-1`);
  await until('it watches', 3000, () => live.stats.watchers === 1);
  live.offer([frameRecord(1, { streamId: 'cam-2' }), frameRecord(2)]);
  await until('the frame arrives', 3000, () => client.text().includes('event: frame'));
  assert.doesNotMatch(client.text(), /cam-2/);
  const [, data] = /event: frame\ndata: (.*)\n/.exec(client.text())!;
  assert.equal(JSON.parse(data!).recordId, 'cam-1/s1/2');

  // More in one go than its queue holds.
  live.offer(Array.from({ length: 150 }, (_, index) => frameRecord(100 + index)));
  await until('the newest arrives', 3000, () => client.text().includes('cam-1/s1/249'));
  assert.match(client.text(), /event: dropped\ndata: \{"frames":50\}/);
  assert.equal(live.stats.dropped, 50);
  const typed = new SightlineClient({ baseUrl: url.replace('/v1/metadata', '') });
  const frames = typed.metadata({ streamId: 'cam-3' });
  const first = frames.next();
  await until('the client watches', 3000, () => live.stats.watchers === 2);
  live.offer([frameRecord(7, { streamId: 'cam-3' })]);
  assert.equal((await first).value?.recordId, 'cam-3/s1/7');
  await frames.return(undefined);
  const closed = once(client.reply, 'close', { signal: AbortSignal.timeout(3000) });
  await app.close();
  await closed;
  assert.equal(live.stats.watchers, 0);
});
