import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { IncidentView } from '../../src/control/types.ts';
import { startFaultWorld } from '../support/fault-world.ts';
import { refuseWith, startRtspDouble } from '../support/rtsp-double.ts';
import { until } from '../support/wait.ts';

const LIVE_MS = 20_000;
const USER = 'operator';
/** Must be seen nowhere, as it is or as it stands in a URL. */
const CANARY = 'canary/9d41c7:yellow';
const FORMS = [
  CANARY,
  encodeURIComponent(CANARY),
  Buffer.from(`${USER}:${CANARY}`).toString('base64'),
];

test('a camera’s password is in no answer, log, incident, event or process of a worker that crashed', async () => {
  await using refusing = await startRtspDouble(
    refuseWith('401 Unauthorized', { 'WWW-Authenticate': 'Basic realm="camera"' }),
  );
  await using world = await startFaultWorld({ pipelines: {} });
  const { server } = world;
  const events = eventsUntilExit(`${server.url}/v1/events`);
  const withPassword = (url: string) =>
    url.replace('//', `//${USER}:${encodeURIComponent(CANARY)}@`);
  for (const [id, url] of Object.entries({
    seen: world.camera.urlOf('cam'),
    refused: refusing.url,
  })) {
    const made = await server.request('POST', '/v1/streams', {
      id,
      source: { type: 'rtsp', url: withPassword(url) },
    });
    assert.equal(made.status, 201, await made.text());
  }
  await server.streamIn('seen', ['live'], LIVE_MS);
  await server.streamIn('refused', ['rejected', 'backoff'], LIVE_MS);
  const { pid } = await world.worker('seen');
  process.kill(pid!, 'SIGSEGV');
  const [incident] = await until('the crash is on record', LIVE_MS, async () => {
    const { items } = await server.json<{ items: IncidentView[] }>('/v1/pipelines/seen/incidents');
    return items.length > 0 && items;
  });
  await server.streamIn('seen', ['live'], LIVE_MS);
  const places = new Map<string, string>();
  const at = `/v1/pipelines/seen/incidents/${incident!.n}`;
  const names = incident!.files.map(({ name }) => name);
  assert.ok(names.includes('spec.json'), names.join(' '));
  for (const path of [
    ...['/v1/streams', '/v1/streams/seen', '/v1/streams/refused', '/v1/pipelines', '/v1/workers'],
    ...['/v1/jobs', '/v1/cameras', '/v1/sinks', '/metrics', '/healthz', '/readyz', at],
    ...names.map((name) => `${at}/files/${name}`),
  ]) {
    const reply = await server.request('GET', path);
    assert.equal(reply.status, 200, path);
    places.set(path, await reply.text());
  }
  const download = await server.request('GET', `${at}/download`);
  assert.equal(download.status, 200);
  const archive = gunzipSync(Buffer.from(await download.arrayBuffer()));
  for (const name of names) assert.ok(archive.includes(name), `${name} is in the download`);
  places.set('download', archive.toString('latin1'));
  places.set('events', await events);
  places.set('log', JSON.stringify(server.logs));
  places.set('stderr', server.stderr.join('\n'));
  for (const { pid: each } of server.tree()) {
    for (const file of ['cmdline', 'environ']) {
      places.set(`${file} of ${each}`, readFileSync(`/proc/${each}/${file}`, 'latin1'));
    }
  }
  for (const file of filesOf(join(world.folder, 'data', 'incidents'))) {
    places.set(file, readFileSync(file, 'latin1'));
  }
  for (const [place, text] of places) {
    for (const form of FORMS) assert.ok(!text.includes(form), `the password is in ${place}`);
  }
});

/** The events from now on, up to the end of a worker. */
async function eventsUntilExit(url: string): Promise<string> {
  const reply = await fetch(url, { signal: AbortSignal.timeout(2 * LIVE_MS) });
  let text = '';
  for await (const chunk of reply.body!) {
    text += Buffer.from(chunk).toString('utf8');
    if (text.includes('worker.exited')) break;
  }
  return text;
}

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
