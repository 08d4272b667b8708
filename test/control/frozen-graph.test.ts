import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { workerCommand } from '../../src/control/worker-command.ts';
import type { Graph } from '../../src/pipeline/graph.ts';
import { testPictureGraph } from './real-graphs.ts';
import { compiledOf, supervise, watching } from './supervisor-support.ts';
import { runs, temporaryFolder } from './support.ts';

/** Opening a pipe that nobody writes to does not come back. */
function hangingGraph(streamId: string, folder: string): Graph {
  const location = join(folder, 'fifo');
  execFileSync('mkfifo', [location]);
  const picture = testPictureGraph(streamId);
  const [, ...others] = picture.nodes;
  const source = { id: 'source', factory: 'filesrc', role: 'source', properties: { location } };
  return {
    ...picture,
    nodes: [source as Graph['nodes'][0], ...others],
    links: picture.links.map(({ from, to }) => ({ from, to })),
  };
}

test('a stream whose graph hangs is quarantined; the others of its worker miss nothing', async (t) => {
  const graphs = [
    testPictureGraph('good-1'),
    hangingGraph('stuck', temporaryFolder(t)),
    testPictureGraph('good-2'),
  ];
  const bench = supervise(
    t,
    { ...compiledOf('yard', graphs), policy: { firstFrameTimeoutMs: 2_000 } },
    { command: workerCommand() },
  );
  const { supervisor, events, records } = bench;
  const good = ['good-1', 'good-2'];
  await bench.untilStates({ 'good-1': 'live', 'good-2': 'live' }, 20_000);
  const [{ pid } = {}] = supervisor.views();
  const states = watching(() => good.map((id) => supervisor.streams.get(id)!.state).join());
  const backoff = await bench.untilTold('stream.backoff');
  assert.deepEqual([backoff.streamId, backoff['code']], ['stuck', 'SL_PIPELINE_TIMEOUT']);
  const recycled = await bench.untilTold('worker.recycled');
  assert.equal(recycled['gap'], false);
  assert.equal(runs(pid!), false, 'the worker with the graph that hangs is gone');
  await bench.untilStates({ stuck: 'quarantined' }, 30_000);
  assert.deepEqual(new Set(await states()), new Set(['live,live']));
  const [main, ...more] = supervisor.views();
  assert.deepEqual([main!.lane, main!.streams, more], ['main', good, []]);
  for (const id of good) {
    const sessions = records
      .filter(({ streamId }) => streamId === id)
      .map(({ recordId }) => recordId.split('/')[1]!);
    const turns = sessions.filter((session, index) => session !== sessions[index - 1]);
    assert.equal(turns.length, 2, `${id} goes from one session to the next, and not back`);
  }
  const exits = events.recent(1_000).filter(({ type }) => type === 'worker.exited');
  assert.deepEqual(
    exits.map(({ kind, exitCode }) => [kind, exitCode]),
    [
      ['stopped', 0],
      ['died', 42],
    ],
  );
});
