// Time from POST /v1/streams to the first metadata of that stream.
//   node --import tsx bench/first-metadata.ts [--rounds 10]
// The demo camera has a key frame each second; half of that is waiting for one, on average.
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startCamera } from '../test/support/camera.ts';
import { TestServer, temporaryFolder } from '../test/support/server.ts';
import { median } from './support/process-cpu.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '10' } } });
const POLL_MS = 5;
const LIMIT_MS = 20_000;

await using folder = await temporaryFolder();
await using camera = await startCamera();
await using server = await TestServer.start(folder.path, {
  dataDir: `${folder.path}/data`,
  http: { port: 0 },
  defaults: { infer: { model: 'centernet-512x384' } },
  sinks: [{ id: 'files', type: 'file', dir: `${folder.path}/out` }],
});
const times: number[] = [];
for (let round = 0; round < Number(values.rounds); round += 1) {
  const startedAt = performance.now();
  await server.request('POST', '/v1/streams', {
    id: `cam-${round}`,
    source: { type: 'rtsp', url: camera.url },
  });
  while ((await server.request('GET', `/v1/streams/cam-${round}/frame`)).status !== 200) {
    if (performance.now() - startedAt > LIMIT_MS) throw new Error('No metadata came');
    await delay(POLL_MS);
  }
  times.push(performance.now() - startedAt);
  await server.request('DELETE', `/v1/streams/cam-${round}`);
  // Another phase of the camera's key frames each time.
  await delay(137 * (round % 7));
}
console.log(
  `POST to first metadata, ${times.length} rounds: median ${median(times).toFixed(0)} ms`,
);
console.log(`  ${times.map((time) => time.toFixed(0)).join(' ')}`);
