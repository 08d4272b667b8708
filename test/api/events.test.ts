import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { test } from 'node:test';
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
