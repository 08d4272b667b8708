// How fast streams come back, and start.
//   node --import tsx bench/recovery.ts [--kills 24] [--returns 3] [--posts 15]
// 1. kill -9 of a worker until its streams are live again: each kill hits a worker of two streams that ran well, beside a
//    pipeline that is not touched and must lose no frame.
// 2. A camera that comes back until its streams are live, against the retry that was due next.
// 3. POST /v1/streams to the first metadata.
// The camera begins with a key frame for each viewer, so that no wait for one is in the figures; the model costs nothing.
import { parseArgs } from 'node:util';
import type { StreamView } from '../src/control/types.ts';
import { probeApi } from '../test/support/api-probe.ts';
import { freePort } from '../test/support/config.ts';
import { missingFrames, readFrames } from '../test/support/delivered.ts';
import { startFaultWorld } from '../test/support/fault-world.ts';
import { missedFrames } from '../test/support/frame-gaps.ts';
import { startHostileCameras, wellBehaved } from '../test/support/hostile-camera.ts';
import type { LogLine } from '../test/support/server.ts';
import { until } from '../test/support/wait.ts';
import { quantile } from './support/quantile.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '24' },
    returns: { type: 'string', default: '3' },
    posts: { type: 'string', default: '15' },
  },
});
const FPS = 10;
const LIMIT_MS = 60_000;
const RETURNING = 8;
const MOST_PRINTED = 100;

await using world = await startFaultWorld({ pipelines: { beside: ['beside'] }, fps: FPS });
const { server } = world;
await world.allLive(LIMIT_MS);
await using probe = probeApi(server, 100);

function print(what: string, times: readonly number[], goal: string): void {
  const at = (share: number) => quantile(times, share).toFixed(0);
  console.log(`${what}: median ${at(0.5)}, p95 ${at(0.95)}, max ${at(1)} ms (n ${times.length})`);
  console.log(`  goal: ${goal}`);
  if (times.length <= MOST_PRINTED) {
    console.log(`  ${times.map((time) => time.toFixed(0)).join(' ')}`);
  }
}

async function post(id: string, url: string): Promise<void> {
  const reply = await server.request('POST', '/v1/streams', { id, source: { type: 'rtsp', url } });
  if (reply.status !== 201) throw new Error(`${id}: ${reply.status} ${await reply.text()}`);
}

async function postPipeline(id: string, streams: readonly string[]): Promise<void> {
  const source = { type: 'rtsp', url: world.camera.urlOf('cam') };
  const reply = await server.request('POST', '/v1/pipelines', {
    id,
    infer: { model: world.model },
    streams: streams.map((stream) => ({ id: stream, source })),
  });
  if (!reply.ok) throw new Error(`${id}: ${reply.status} ${await reply.text()}`);
}

/** The time of the first such line in the server's log after `afterMs`; both are wall clocks of this machine. */
function whenLogged(matches: (line: LogLine) => boolean, afterMs: number): Promise<number> {
  return until('the event is logged', LIMIT_MS, () => {
    const times = server.logs.filter(matches).map(({ time }) => Date.parse(String(time)));
    return times.find((time) => time > afterMs);
  });
}

async function kills(): Promise<void> {
  const times: number[] = [];
  for (let round = 0; round < Number(values.kills); round += 1) {
    const ids = [`k${round}-a`, `k${round}-b`];
    await postPipeline(`k${round}`, ids);
    for (const id of ids) await server.streamIn(id, ['live'], LIMIT_MS);
    const { pid } = await world.worker(`k${round}`);
    const killedAt = Date.now();
    process.kill(pid!, 'SIGKILL');
    const live = ids.map((id) =>
      whenLogged(({ msg, streamId }) => msg === 'stream.live' && streamId === id, killedAt),
    );
    times.push(Math.max(...(await Promise.all(live))) - killedAt);
    await server.request('DELETE', `/v1/pipelines/k${round}`);
  }
  print('kill -9 of a worker to all its streams live', times, 'median 2500, p95 4000 ms');
}

async function returns(): Promise<void> {
  const port = await freePort();
  const ids = Array.from({ length: RETURNING }, (_, index) => `back-${index}`);
  const behaviours = { cam: wellBehaved(world.clip) };
  let camera = await startHostileCameras(behaviours, port);
  for (const id of ids) await post(id, camera.urlOf('cam'));
  for (const id of ids) await server.streamIn(id, ['live'], LIMIT_MS);
  const sinceBack: number[] = [];
  const sinceRetry: number[] = [];
  for (let round = 0; round < Number(values.returns); round += 1) {
    await camera[Symbol.asyncDispose]();
    for (const id of ids) {
      await until(`${id} was tried again`, LIMIT_MS, async () => {
        return (await server.stream(id)).status.attempt >= 2;
      });
    }
    camera = await startHostileCameras(behaviours, port);
    const backAt = Date.now();
    const dueAt = new Map<string, number>();
    for (const id of ids) {
      const { retryAt } = (await server.json<StreamView>(`/v1/streams/${id}`)).status;
      dueAt.set(id, Math.max(backAt, retryAt === undefined ? backAt : Date.parse(retryAt)));
    }
    for (const id of ids) {
      const liveAt = await whenLogged(
        ({ msg, streamId }) => msg === 'stream.live' && streamId === id,
        backAt,
      );
      sinceBack.push(liveAt - backAt);
      sinceRetry.push(liveAt - dueAt.get(id)!);
    }
  }
  print('camera back to live', sinceBack, 'p95 the back-off step + 2000 ms');
  print('  of that after the retry that was due', sinceRetry, 'p95 2000 ms');
  for (const id of ids) await server.request('DELETE', `/v1/streams/${id}`);
  await camera[Symbol.asyncDispose]();
}

async function posts(): Promise<void> {
  const times: number[] = [];
  for (let round = 0; round < Number(values.posts); round += 1) {
    const startedAt = performance.now();
    await post(`new-${round}`, world.camera.urlOf('cam'));
    await until('metadata is there', LIMIT_MS, async () => {
      const reply = await server.request('GET', `/v1/streams/new-${round}/frame`);
      await reply.arrayBuffer();
      return reply.status === 200;
    });
    times.push(performance.now() - startedAt);
    await server.request('DELETE', `/v1/streams/new-${round}`);
  }
  print('POST to first metadata (looked at each 50 ms)', times, 'median 1000 ms');
}

await kills();
await returns();
await posts();
const { failures, latenciesMs } = await probe.stop();
print(`API answers meanwhile, ${failures.length} failures`, latenciesMs, 'no failure');
await server[Symbol.asyncDispose]();
const frames = (await readFrames(`${world.folder}/out`)).filter(
  ({ streamId }) => streamId === 'beside',
);
const sessions = new Set(frames.map(({ session }) => session)).size;
console.log(
  `pipeline beside them: ${frames.length} frames, ${sessions} session, ` +
    `${missingFrames(frames).length} lost, ${missedFrames(frames, FPS)} pictures missed`,
);
