import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PipelineEvent } from '../../src/gst/events.ts';
import { GstPipeline } from '../../src/gst/pipeline.ts';
import { startCamera } from '../support/camera.ts';
import { until } from '../support/wait.ts';
import { camera, graph, node, output, pictures } from './graphs.ts';

test('all properties are set, or none', async () => {
  await using pipeline = await GstPipeline.create(pictures('p', { 'is-live': true }));
  await pipeline.setState('playing');
  const read = () =>
    pipeline.getProperties([
      ['source', 'pattern'],
      ['source', 'kx'],
    ]);
  const applied = await pipeline.setProperties([
    { node: 'source', property: 'pattern', value: 'snow' },
    { node: 'source', property: 'kx', value: 7 },
  ]);
  assert.deepEqual(applied, [true, true]);
  assert.deepEqual(await read(), ['snow', 7]);
  for (const [bad, code, message] of [
    [{ node: 'source', property: 'kx', value: 'x' }, 'SL_SPEC_INVALID', /"source".*"kx"/],
    [{ node: 'source', property: 'nope', value: 1 }, 'SL_SPEC_INVALID', /"source".*"nope"/],
    [
      { node: 'source', property: 'name', value: 'x' },
      'SL_SPEC_INVALID',
      /when the element is made/,
    ],
    [{ node: 'nobody', property: 'kx', value: 1 }, 'SL_NOT_FOUND', /"nobody"/],
  ] as const) {
    const changes = [{ node: 'source', property: 'pattern', value: 'ball' }, bad];
    await assert.rejects(pipeline.setProperties(changes), (error: Error & { code: string }) => {
      assert.match(error.message, message);
      return error.code === code;
    });
    assert.deepEqual(await read(), ['snow', 7], 'the good one was not set either');
  }
});

test('an element that is not built yet is built with what was set meanwhile', async () => {
  await using source = await startCamera();
  await using pipeline = await GstPipeline.create(camera('cam', { location: source.url }), {
    watch: ['h264-decode'],
    onEvent: (event) => events.push(event),
  });
  const events: PipelineEvent[] = [];
  const change = { node: 'h264-decode', property: 'max-threads', value: 3 } as const;
  assert.deepEqual(await pipeline.setProperties([change]), [false]);
  // What another codec's decoder would take is checked, too.
  await assert.rejects(
    pipeline.setProperties([{ node: 'jpeg-decode', property: 'no-such', value: 1 }]),
    { code: 'SL_SPEC_INVALID' },
  );
  await pipeline.setState('playing');
  await until('a picture', 10_000, () => events.some(({ type }) => type === 'first-buffer'));
  assert.deepEqual(await pipeline.getProperties([['h264-decode', 'max-threads']]), [3]);
  const again = { ...change, value: 2 };
  assert.deepEqual(await pipeline.setProperties([again]), [true]);
});

test('a property that this build of an element lacks is passed over where the node calls it optional', async () => {
  const nodes = [
    node('source', 'videotestsrc', 'source', {}, { optional: ['no-such'] }),
    output('out'),
  ];
  await using pipeline = await GstPipeline.create(graph('p', nodes));
  const applied = await pipeline.setProperties([{ node: 'source', property: 'no-such', value: 1 }]);
  assert.deepEqual(applied, [false]);
});

test('changes and streaming threads do not meet in the wrong place', async () => {
  await using source = await startCamera();
  for (let round = 0; round < 5; round += 1) {
    await using pipeline = await GstPipeline.create(camera('cam', { location: source.url }));
    await pipeline.setState('playing');
    let built = false;
    for (let value = 1; !built; value = (value % 8) + 1) {
      const change = { node: 'h264-decode', property: 'max-threads', value };
      [built = false] = await pipeline.setProperties([change]);
      if (!built) continue;
      assert.deepEqual(await pipeline.getProperties([['h264-decode', 'max-threads']]), [value]);
    }
  }
});
