import assert from 'node:assert/strict';
import type { CapacityView } from '../../src/control/types.ts';
import { startCamera } from '../../test/support/camera.ts';
import { fileConfig } from '../../test/support/config.ts';
import { TestServer, temporaryFolder } from '../../test/support/server.ts';
import { until } from '../../test/support/wait.ts';
import type { Soak } from './report.ts';

/** What they ask of two cores is several times the limit. */
const STREAMS = 3;
const MOST_STREAMS = 40;
const MODELS = ['centernet-320x320', 'centernet-512x384'];

/**
 * Real cameras and real models drive the box over its limit. `degrade` passes over frames of the streams with the least
 * priority until what is in use is below the limit; `reject` refuses the stream that does not fit, with the numbers.
 */
export const admission: Soak = async ({ minutes, print }) => {
  await degrade(minutes, print);
  await reject(print);
};

async function startServer(folder: string, policy: string): Promise<TestServer> {
  return TestServer.start(folder, fileConfig(folder, { admission: { policy, maxCpu: 0.4 } }));
}

function post(server: TestServer, index: number, url: string): Promise<Response> {
  return server.request('POST', '/v1/streams', {
    id: `cam-${index}`,
    source: { type: 'rtsp', url },
    priority: index % 2 === 0 ? 90 : 10,
    infer: { model: MODELS[index % MODELS.length] },
  });
}

async function degrade(minutes: number, print: (line: string) => void): Promise<void> {
  await using folder = await temporaryFolder();
  await using camera = await startCamera({ args: ['--fps', '25'] });
  await using server = await startServer(folder.path, 'degrade');
  for (let index = 0; index < STREAMS; index += 1) {
    const made = await post(server, index, camera.url);
    assert.equal(made.status, 201, await made.text());
  }
  const capacity = () => server.json<CapacityView>('/v1/capacity');
  const held = await until('what is in use is below the limit', minutes * 60_000, async () => {
    const view = await capacity();
    const throttled = view.streams.some(({ imposedInterval }) => imposedInterval > 0);
    return throttled && view.used <= view.limit && view;
  });
  print(`degrade: ${held.used} of ${held.limit} cores in use, ${held.cores} in the box`);
  for (const { id, priority, used, demand, imposedInterval } of held.streams) {
    const { counters, fps } = (await server.stream(id)).status;
    print(
      `  ${id} priority ${priority}: every ${imposedInterval + 1}. frame, ${used} of ${demand} cores, ${fps.decoded} decoded and ${fps.inferred} inferred a second, left out ${JSON.stringify(counters.framesSkippedByReason)}`,
    );
  }
  const interval = (low: boolean) =>
    held.streams
      .filter(({ priority }) => priority < 50 === low)
      .map(({ imposedInterval }) => imposedInterval);
  assert.ok(
    Math.min(...interval(true)) >= Math.max(...interval(false)),
    'the streams with the least priority are throttled first',
  );
}

async function reject(print: (line: string) => void): Promise<void> {
  await using folder = await temporaryFolder();
  await using camera = await startCamera({ args: ['--fps', '25'] });
  await using server = await startServer(folder.path, 'reject');
  for (let index = 0; index < MOST_STREAMS; index += 1) {
    const reply = await post(server, index, camera.url);
    if (reply.status === 503) {
      const problem = (await reply.json()) as { code: string; detail: string };
      print(`reject: after ${index} streams: ${problem.detail}`);
      assert.equal(problem.code, 'SL_ADMISSION_DENIED');
      assert.match(problem.detail, /would need [\d.]+ cores, [\d.]+ of [\d.]+ are in use/);
      return;
    }
    assert.equal(reply.status, 201, await reply.text());
    await server.streamIn(`cam-${index}`, ['live', 'degraded'], 60_000);
  }
  assert.fail(`${MOST_STREAMS} streams were taken`);
}
