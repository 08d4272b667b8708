import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ConfigFolder } from '../../src/services/config-folder.ts';
import { memoryLogger, startOrchestrator, temporaryFolder, untilTold } from '../control/support.ts';
import { until } from '../support/wait.ts';

const spec = (id: string, ...streams: readonly string[]): string =>
  JSON.stringify({
    id,
    streams: streams.map((stream) => ({
      id: stream,
      source: { type: 'rtsp', url: `rtsp://10.0.0.1/${stream}` },
    })),
  });

async function watched(t: TestContext, files: Readonly<Record<string, string>>) {
  const { orchestrator } = await startOrchestrator(t);
  const dir = join(temporaryFolder(t), 'pipelines');
  mkdirSync(dir);
  const put = (name: string, text: string) => writeFileSync(join(dir, name), text);
  for (const [name, text] of Object.entries(files)) put(name, text);
  const { logger } = memoryLogger();
  const { events } = orchestrator;
  const folder = new ConfigFolder({ dir, orchestrator, events, logger, rescanMs: 60_000 });
  t.after(() => folder[Symbol.asyncDispose]());
  await folder.start();
  const streams = () => orchestrator.listStreams().map(({ id }) => id);
  const untilRuns = (...ids: readonly string[]) =>
    until(`${ids} run`, 10_000, () => streams().sort().join() === [...ids].sort().join());
  return { orchestrator, dir, put, streams, untilRuns, folder };
}

test('what the files say runs; files that come, change, move and go are followed', async (t) => {
  const { orchestrator, dir, put, streams, untilRuns } = await watched(t, {
    'yard.json': spec('yard', 'a', 'b'),
    '.yard.json.swp': 'x',
    'yard.json~': 'x',
    '.hidden.json': spec('hidden', 'h'),
    'README.md': '# no pipeline',
  });
  assert.deepEqual(streams(), ['a', 'b']);
  assert.equal(orchestrator.getPipeline('yard').source, 'folder');
  put(
    'dock.yaml',
    'id: dock\nstreams:\n  - id: d\n    source: { type: rtsp, url: rtsp://10.0.0.1/d }\n',
  );
  await untilRuns('a', 'b', 'd');
  // As editors do it: all of the new text in one step.
  put('.new', spec('yard', 'b', 'c'));
  renameSync(join(dir, '.new'), join(dir, 'yard.json'));
  await untilRuns('b', 'c', 'd');
  assert.equal(orchestrator.getPipeline('yard').generation, 2);
  rmSync(join(dir, 'dock.yaml'));
  await untilRuns('b', 'c');
  put('yard.json', spec('court', 'b'));
  await untilRuns('b');
  assert.equal(orchestrator.getStream('b').pipelineId, 'court');
  await assert.rejects(orchestrator.removePipeline('court'), { code: 'SL_CONFLICT' });
});

test('a broken file keeps what runs, and what is wrong is told once, with its line', async (t) => {
  const { orchestrator, put, streams, untilRuns, folder } = await watched(t, {
    'yard.yaml': spec('yard', 'a'),
  });
  const { lastId } = orchestrator.events;
  put('yard.yaml', 'id: yard\nstreams:\n  - id: a\n    sauce: {}\n');
  const told = await untilTold(orchestrator, 'config.invalid', lastId);
  assert.match(String(told['place']), /yard\.yaml:[34]$/);
  assert.equal(told['code'], 'SL_CONFIG_INVALID');
  await folder.scan();
  const all = orchestrator.events.recent(1_000).filter(({ type }) => type === 'config.invalid');
  assert.equal(all.length, 1);
  assert.deepEqual(streams(), ['a']);
  put('other.json', spec('yard', 'z'));
  await until('the second file is refused', 10_000, () => {
    const { message } = orchestrator.events
      .recent(1_000)
      .findLast(({ type }) => type === 'config.invalid')! as { message?: string };
    return /other\.json: pipeline "yard" is that of .*yard\.yaml/.test(String(message));
  });
  put('yard.yaml', spec('yard', 'a', 'b'));
  await untilRuns('a', 'b');
});

test('a folder that is away for a while ends nothing', async (t) => {
  const { dir, streams, folder } = await watched(t, { 'yard.json': spec('yard', 'a') });
  renameSync(dir, `${dir}-away`);
  await folder.scan();
  assert.deepEqual(streams(), ['a']);
  renameSync(`${dir}-away`, dir);
  await folder.scan();
  assert.deepEqual(streams(), ['a']);
});
