import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { ROOT } from '../../src/common/paths.ts';
import { readFileTruth } from '../../src/ground-truth/file.ts';
import { reportStreams } from '../../src/ground-truth/report.ts';
import { camera } from '../gst/graphs.ts';
import { startCamera } from '../support/camera.ts';
import { temporaryFolder } from '../support/server.ts';
import { until } from '../support/wait.ts';
import { WorkerHarness } from './worker-harness.ts';

const RELAY = join(ROOT, 'build-native', 'bin', 'rtsp_relay');

/** An independent RTSP server (gst-rtsp-server) that reads a camera and serves it on. */
async function startRelay(source: string, port = 0) {
  const child = spawn(RELAY, [source, String(port)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const limit = { signal: AbortSignal.timeout(10_000) };
  const [line] = (await once(createInterface({ input: child.stdout }), 'line', limit)) as [string];
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
  };
  const url = `rtsp://127.0.0.1:${line}/relayed`;
  return { url, port: Number(line), kill, [Symbol.asyncDispose]: kill };
}

test('a fake camera behind another server: read by TCP and UDP, nothing lost, and again after a restart', async () => {
  await using folder = await temporaryFolder();
  await using source = await startCamera({ args: ['--count=1', '--fps=40'] });
  await using first = await startRelay(source.url);
  await using worker = await WorkerHarness.launch();
  await worker.start([
    camera('tcp', { location: first.url }),
    camera('udp', { location: first.url, protocols: 'udp' }),
  ]);
  for (const id of ['tcp', 'udp']) await worker.phase(id, 'live');

  for (const protocol of ['tcp', 'udp']) {
    const file = join(folder.path, `${protocol}.mp4`);
    const line = `rtspsrc location=${first.url} protocols=${protocol} ! rtph264depay ! h264parse ! identity eos-after=41 ! mp4mux ! filesink location=${file}`;
    await promisify(execFile)('gst-launch-1.0', ['-q', '-e', ...line.split(' ')], {
      timeout: 30_000,
      killSignal: 'SIGKILL',
    });
    const { truths, unmarked } = await readFileTruth(file);
    const [report] = reportStreams(truths.map((truth) => ({ truth })));
    const { received, lost, duplicated, reordered } = report!;
    assert.deepEqual(
      { lost, duplicated, reordered },
      { lost: 0, duplicated: 0, reordered: 0 },
      protocol,
    );
    // A reader by UDP may join within an access unit (3 of 181 did): that picture is there without its number.
    assert.equal(received + unmarked, 40, protocol);
    assert.ok(
      unmarked <= (protocol === 'udp' ? 1 : 0),
      `${protocol}: ${unmarked} without a number`,
    );
  }

  await first.kill();
  await worker.phase('tcp', 'backoff');
  await using second = await startRelay(source.url, first.port);
  assert.equal(second.port, first.port);
  for (const id of ['tcp', 'udp']) {
    await until(`${id} is live again`, 20_000, () => {
      return worker.phases(id).filter(({ phase }) => phase === 'live').length >= 2;
    });
  }
});
