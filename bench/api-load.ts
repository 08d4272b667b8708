// The API under a fixed rate of mixed calls while streams run: requests are sent by the clock, whether answers came or
// not, and each one's time counts from when it was due.
//   node --import tsx bench/api-load.ts [--rate 200] [--seconds 30] [--streams 4]
import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { SightlineClient } from '../src/client/index.ts';
import { startCamera } from '../test/support/camera.ts';
import { TestServer, temporaryFolder } from '../test/support/server.ts';

const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '30' },
    streams: { type: 'string', default: '4' },
  },
});
const rate = Number(values.rate);
const total = rate * Number(values.seconds);
const LIMIT_MS = 10_000;

await using folder = await temporaryFolder();
await using camera = await startCamera();
await using server = await TestServer.start(folder.path, {
  dataDir: `${folder.path}/data`,
  http: { port: 0 },
  defaults: { infer: { model: 'centernet-512x384', interval: 4 } },
  sinks: [{ id: 'files', type: 'file', dir: `${folder.path}/out` }],
});
const client = new SightlineClient({ baseUrl: server.url });
const ids = Array.from({ length: Number(values.streams) }, (_, n) => `cam-${n}`);
for (const id of ids) {
  await client.streams.create({ id, source: { type: 'rtsp', url: camera.url } });
}
for (const id of ids) await server.streamIn(id, ['live'], 60_000);
await client.cameras.put('gate', { heartbeatIntervalMs: 5000 });

/** Of 20: 14 reads, a metrics scrape, 4 beats, and one change (every second one takes the other back). */
const paths = [
  '/v1/streams',
  '/v1/pipelines',
  '/v1/workers',
  '/v1/sinks',
  '/v1/cameras',
  '/v1/jobs',
];
const agent = new Agent({ keepAlive: true, maxSockets: 50 });
const times: number[] = [];
const errors: string[] = [];

function send(
  method: string,
  path: string,
  dueAt: number,
  body?: string,
  type = '',
): Promise<void> {
  return new Promise((resolve) => {
    const done = (error?: string) => {
      times.push(performance.now() - dueAt);
      if (error !== undefined) errors.push(`${method} ${path}: ${error}`);
      resolve();
    };
    const headers = {
      ...(body === undefined ? {} : { 'content-type': type }),
      ...(method === 'PATCH' ? { 'if-match': '*' } : {}),
    };
    const call = request(`${server.url}${path}`, { method, agent, headers, timeout: LIMIT_MS });
    call.on('response', (response) => {
      response.resume().on('end', () => {
        done((response.statusCode ?? 500) < 400 ? undefined : String(response.statusCode));
      });
    });
    call.on('timeout', () => call.destroy(new Error('timeout')));
    call.on('error', (error) => done(error.message));
    call.end(body);
  });
}

function nth(n: number, dueAt: number): Promise<void> {
  const id = ids[n % ids.length]!;
  const kind = n % 20;
  if (kind === 0) return send('GET', '/metrics', dueAt);
  if (kind < 5) {
    return send('POST', '/v1/cameras/gate/heartbeat', dueAt, '{"up":1}', 'application/json');
  }
  if (kind === 5) {
    const patch = JSON.stringify({ name: `gate ${n}` });
    return send('PATCH', '/v1/cameras/gate', dueAt, patch, 'application/merge-patch+json');
  }
  return send('GET', kind < 12 ? paths[n % paths.length]! : `/v1/streams/${id}`, dueAt);
}

const startedAt = performance.now();
const sent: Promise<void>[] = [];
for (let n = 0; n < total; n += 1) {
  const dueAt = startedAt + (n * 1000) / rate;
  const waitMs = dueAt - performance.now();
  if (waitMs > 0) await delay(waitMs);
  sent.push(nth(n, dueAt));
}
await Promise.all(sent);
agent.destroy();
times.sort((a, b) => a - b);
const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))]!;
const metrics = await (await fetch(`${server.url}/metrics`)).text();
const loop = [
  ...metrics.matchAll(/^sightline_event_loop_delay_seconds\{quantile="([^"]+)"\} (\S+)$/gm),
];
console.log(
  `${total} requests at ${rate}/s, ${ids.length} streams live: p50 ${at(0.5).toFixed(1)} ms, p99 ${at(0.99).toFixed(1)} ms, ` +
    `max ${times.at(-1)!.toFixed(1)} ms, ${errors.length} errors`,
);
console.log(
  `  event loop of the server late by: ${loop.map(([, q, s]) => `q${q} ${(Number(s) * 1000).toFixed(1)} ms`).join(', ')}`,
);
for (const error of errors.slice(0, 5)) console.log(`  ${error}`);
if (errors.length > 0) process.exitCode = 1;
