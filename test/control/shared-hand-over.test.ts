import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CompiledPipeline } from '../../src/control/types.ts';
import { workerCommand } from '../../src/control/worker-command.ts';
import { lowerForStandIn, standInCamera, standInEnv } from '../support/stand-in.ts';
import { supervise, watching } from './supervisor-support.ts';
import { specOf, temporaryFolder } from './support.ts';

/** A pipeline of cameras in one graph, as DeepStream runs them. */
async function compiled(cameras: readonly string[], folder: string): Promise<CompiledPipeline> {
  const streams = cameras.map((id) => standInCamera(id));
  const { graphs, environment } = await lowerForStandIn(streams, folder);
  return {
    ...{ pipelineId: 'cameras', graphs, environment },
    streams: cameras.map((id) => ({ id, spec: specOf(id) })),
    policy: { startTimeoutMs: 20_000 },
  };
}

test('a DeepStream graph with one camera more goes over to a fresh worker without a gap', async (t) => {
  const folder = temporaryFolder(t);
  const command = workerCommand({ ...process.env, ...standInEnv() });
  const before = await compiled(['dock', 'gate'], folder);
  const { supervisor, records, untilStates } = supervise(t, before, { command });
  await untilStates({ dock: 'live', gate: 'live' }, 30_000);
  const pid = supervisor.views()[0]!.pid;
  const states = watching(() => supervisor.streams.get('dock')!.state);
  const report = await supervisor.apply(await compiled(['dock', 'gate', 'yard'], folder));
  assert.deepEqual(report, [
    { streamId: 'dock', effect: 'handed-over' },
    { streamId: 'gate', effect: 'handed-over' },
    { streamId: 'yard', effect: 'added' },
  ]);
  assert.deepEqual(new Set(await states()), new Set(['live']));
  await untilStates({ dock: 'live', gate: 'live', yard: 'live' }, 30_000);
  assert.notEqual(supervisor.views()[0]!.pid, pid);
  for (const id of ['dock', 'gate']) {
    const sessions = records
      .filter(({ streamId }) => streamId === id)
      .map(({ recordId }) => recordId.split('/')[1]!);
    const turns = sessions.filter((session, index) => session !== sessions[index - 1]);
    assert.equal(turns.length, 2, `${id} goes from one session to the next, and not back`);
  }
});
