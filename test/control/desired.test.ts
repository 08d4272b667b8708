import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ErrorCode, SightlineError } from '../../src/common/errors.ts';
import type { Compiler, JobView, JsonObject, Orchestrator } from '../../src/control/types.ts';
import type { PipelineSpec, StreamSpec } from '../../src/pipeline/spec.ts';
import { until } from '../support/wait.ts';
import { PLAIN_COMPILER, startOrchestrator, temporaryFolder, untilState } from './support.ts';

function code(expected: ErrorCode) {
  return (error: unknown) => error instanceof SightlineError && error.code === expected;
}

const urlOf = (id: string) => `rtsp://root:${id}-pass@10.0.0.1/${id}`;

function streamOf(id: string): StreamSpec {
  return { id, source: { type: 'rtsp', url: urlOf(id) } } as unknown as StreamSpec;
}

function yard(...ids: readonly string[]): PipelineSpec {
  return { id: 'yard', streams: ids.map(streamOf) } as unknown as PipelineSpec;
}

/** Shows each stream with its spec, as the real compiler does. */
const COMPILER: Compiler = {
  stream: PLAIN_COMPILER.stream,
  pipeline: async ({ streams, ...shared }, source) => ({
    ...(await PLAIN_COMPILER.pipeline({ streams, ...shared }, source)),
    streams: streams.map((stream) => ({ id: stream.id, spec: { ...shared, ...stream } })),
  }),
};

function ended(orchestrator: Orchestrator, job: JobView | undefined): Promise<JobView> {
  if (job === undefined) throw new Error('There is no job');
  return until('the job ends', 10_000, () => {
    const now = orchestrator.getJob(job.id);
    return now.state !== 'running' && now;
  });
}

/** Waits until what is desired runs. */
function untilApplied(orchestrator: Orchestrator, id = 'yard'): Promise<boolean> {
  return until(`${id} runs as desired`, 10_000, () => {
    const { generation, status } = orchestrator.getPipeline(id);
    return status.observedGeneration === generation;
  });
}

test('put makes a pipeline, put again with the same spec changes nothing, with another one it is applied', async (t) => {
  const { orchestrator } = await startOrchestrator(t, { compiler: COMPILER });
  const first = await orchestrator.putPipeline(yard('a', 'b'), { labels: { site: 'north' } });
  assert.deepEqual([first.created, first.job, first.view.generation], [true, undefined, 1]);
  await untilState(orchestrator, 'a', 'live');
  const pid = orchestrator.workers()[0]!.pid;
  const same = await orchestrator.putPipeline(yard('a', 'b'));
  assert.deepEqual([same.created, same.job, same.view.generation], [false, undefined, 1]);
  assert.equal(orchestrator.workers()[0]!.pid, pid);
  const other = await orchestrator.putPipeline(yard('b', 'c'));
  assert.deepEqual([other.created, other.view.generation], [false, 2]);
  assert.deepEqual(other.view.labels, { site: 'north' });
  await untilApplied(orchestrator);
  await untilState(orchestrator, 'c', 'live');
  assert.deepEqual(
    orchestrator.listStreams().map(({ id, generation }) => [id, generation]),
    [
      ['b', 2],
      ['c', 2],
    ],
  );
  const { status } = orchestrator.getPipeline('yard');
  await until('all live', 5_000, () => orchestrator.getPipeline('yard').status.states.live === 2);
  assert.deepEqual(
    status.streams.map(({ id }) => id),
    ['b', 'c'],
  );
  // Its name is free again.
  await orchestrator.createStream(streamOf('a'));
});

test('preconditions hold: create, generation; and ids of others are refused', async (t) => {
  const { orchestrator } = await startOrchestrator(t, { compiler: COMPILER });
  const failed = code('SL_PRECONDITION_FAILED');
  await assert.rejects(orchestrator.putPipeline(yard('a'), { generation: 1 }), failed);
  await orchestrator.putPipeline(yard('a'), { create: true });
  await assert.rejects(orchestrator.putPipeline(yard('a'), { create: true }), failed);
  await assert.rejects(orchestrator.putPipeline(yard('b'), { generation: 7 }), failed);
  await assert.rejects(orchestrator.patchStream('a', {}, { generation: 2 }), failed);
  await assert.rejects(orchestrator.removePipeline('yard', { generation: 2 }), failed);
  await assert.rejects(orchestrator.removeStream('a', { generation: 2 }), failed);
  await orchestrator.createStream(streamOf('b'));
  await assert.rejects(orchestrator.putPipeline(yard('a', 'b')), code('SL_CONFLICT'));
  await assert.rejects(orchestrator.addStream('yard', streamOf('a') as never), code('SL_CONFLICT'));
  assert.equal(orchestrator.getPipeline('yard').generation, 1);
  await orchestrator.removePipeline('yard', { generation: 1 });
  for (const call of [
    () => orchestrator.removePipeline('yard'),
    () => orchestrator.patchPipeline('yard', {}),
    () => orchestrator.patchStream('a', {}),
    () => orchestrator.addStream('yard', streamOf('x') as never),
  ]) {
    await assert.rejects(async () => call(), code('SL_NOT_FOUND'));
  }
  assert.throws(() => orchestrator.getPipeline('yard'), code('SL_NOT_FOUND'));
  assert.throws(() => orchestrator.restartPipeline('yard'), code('SL_NOT_FOUND'));
  assert.throws(() => orchestrator.getJob('x'), code('SL_NOT_FOUND'));
});

test('streams are added, patched and removed one by one; the last takes the pipeline with it', async (t) => {
  const { orchestrator } = await startOrchestrator(t, { compiler: COMPILER });
  await orchestrator.createStream(streamOf('solo'));
  const { view } = await orchestrator.addStream('solo', streamOf('more') as never);
  assert.deepEqual([view.kind, view.generation], ['pipeline', 2]);
  await untilApplied(orchestrator, 'solo');
  await orchestrator.patchStream('more', { sensorId: 'dock-7' });
  await untilApplied(orchestrator, 'solo');
  assert.equal(orchestrator.getStream('more').spec['sensorId'], 'dock-7');
  assert.ok(orchestrator.hasUrl('more', urlOf('more')), 'its secret is still there');
  await assert.rejects(orchestrator.patchStream('more', { interval: 3 }), code('SL_SPEC_INVALID'));
  await orchestrator.removeStream('solo');
  assert.deepEqual(
    orchestrator.listStreams().map(({ id, pipelineId }) => [id, pipelineId]),
    [['more', 'solo']],
  );
  await orchestrator.removeStream('more');
  assert.deepEqual([orchestrator.listPipelines(), orchestrator.workers()], [[], []]);
});

test('what is shown can be changed and put back: its secrets stand for what is kept, also after a restart', async (t) => {
  const dataDir = temporaryFolder(t);
  const first = await startOrchestrator(t, { dataDir, compiler: COMPILER });
  await first.orchestrator.putPipeline(yard('a', 'b'));
  const { spec } = first.orchestrator.getPipeline('yard');
  assert.ok(!JSON.stringify(spec).includes('-pass'));
  const [a, b] = spec['streams'] as JsonObject[];
  const edited = { ...spec, streams: [b, { ...a, sensorId: 'gate' }] } as unknown as PipelineSpec;
  await first.orchestrator.putPipeline(edited);
  await first.orchestrator.patchPipeline('yard', { priority: 70 });
  await first.orchestrator.cameras.put('gate', { name: 'Gate' });
  await first.orchestrator.close();

  const { orchestrator } = await startOrchestrator(t, { dataDir, compiler: COMPILER });
  const view = orchestrator.getPipeline('yard');
  assert.deepEqual([view.generation, view.spec['priority']], [3, 70]);
  assert.deepEqual(
    view.status.streams.map(({ id }) => id),
    ['b', 'a'],
  );
  for (const id of ['a', 'b']) assert.ok(orchestrator.hasUrl(id, urlOf(id)));
  const camera = orchestrator.cameras.get('gate');
  assert.equal(camera.spec.name, 'Gate');
  assert.deepEqual(
    camera.status.streams.map(({ id }) => id),
    ['a'],
  );
});

test('of a hundred calls that create one id exactly one wins, and one pipeline runs', async (t) => {
  const { orchestrator } = await startOrchestrator(t, { compiler: COMPILER });
  const calls = Array.from({ length: 100 }, (_, index) =>
    index % 2 === 0
      ? orchestrator.putPipeline({ ...yard('a'), id: 'a' }, { create: true })
      : orchestrator.createStream(streamOf('a')),
  );
  const results = await Promise.allSettled(calls);
  const refused = results.flatMap((result) =>
    result.status === 'rejected' ? [result.reason] : [],
  );
  assert.equal(refused.length, 99);
  for (const error of refused) {
    assert.ok(code('SL_PRECONDITION_FAILED')(error) || code('SL_CONFLICT')(error), String(error));
  }
  assert.equal(orchestrator.workers().length, 1);
});

test('changes of one pipeline come one after the other, and the last one is what runs', async (t) => {
  const { orchestrator } = await startOrchestrator(t, { compiler: COMPILER });
  await orchestrator.putPipeline(yard('a'));
  const changes = await Promise.all(
    Array.from({ length: 10 }, (_, index) =>
      orchestrator.patchPipeline('yard', { priority: index }),
    ),
  );
  assert.deepEqual(
    changes.map(({ view }) => view.generation),
    [2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
  );
  for (const { job } of changes) {
    if (job !== undefined) assert.equal((await ended(orchestrator, job)).state, 'succeeded');
  }
  assert.equal(orchestrator.getPipeline('yard').spec['priority'], 9);
  assert.equal(orchestrator.getPipeline('yard').status.observedGeneration, 11);
});

test('a delete while it is being made, and a create while it is being deleted, come in their turn', async (t) => {
  const { orchestrator } = await startOrchestrator(t, { compiler: COMPILER });
  const made = orchestrator.putPipeline(yard('a'));
  const gone = orchestrator.removePipeline('yard');
  await made;
  const again = orchestrator.putPipeline(yard('a'), { create: true });
  await Promise.all([gone, again]);
  await untilState(orchestrator, 'a', 'live');
  assert.equal(orchestrator.workers().length, 1);
});

test('a spec that does not compile changes nothing; one of a file is changed in the file alone', async (t) => {
  const compiler: Compiler = {
    ...COMPILER,
    pipeline: (spec, source) => {
      if (spec.priority === 13) throw new SightlineError('SL_MODEL_NOT_FOUND', 'no model');
      return COMPILER.pipeline(spec, source);
    },
  };
  const { orchestrator } = await startOrchestrator(t, { compiler });
  await orchestrator.putPipeline(yard('a'));
  await assert.rejects(
    orchestrator.putPipeline({ ...yard('a', 'b'), priority: 13 }),
    code('SL_MODEL_NOT_FOUND'),
  );
  assert.equal(orchestrator.getPipeline('yard').generation, 1);
  await orchestrator.createStream(streamOf('b'));
  await orchestrator.addPipeline({ ...yard('c'), id: 'fixed' });
  await assert.rejects(orchestrator.patchPipeline('fixed', {}), code('SL_CONFLICT'));
  await assert.rejects(orchestrator.patchStream('c', {}), code('SL_CONFLICT'));
});

test('a restart is a job, and the streams come back', async (t) => {
  const { orchestrator } = await startOrchestrator(t, { compiler: COMPILER });
  await orchestrator.putPipeline(yard('a'));
  await untilState(orchestrator, 'a', 'live');
  const pid = orchestrator.workers()[0]!.pid;
  const job = await ended(orchestrator, orchestrator.restartPipeline('yard'));
  assert.deepEqual([job.kind, job.state], ['pipeline.restart', 'succeeded']);
  assert.deepEqual(orchestrator.listJobs(), [job]);
  await untilState(orchestrator, 'a', 'live');
  assert.notEqual(orchestrator.workers()[0]!.pid, pid);
});
