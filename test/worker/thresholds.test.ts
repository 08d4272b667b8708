import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { onnxRuntimeLibrary, ROOT } from '../../src/common/paths.ts';
import { decodeFrame } from '../../src/metadata/frame.ts';
import { graph, node, output } from '../gst/graphs.ts';
import { until } from '../support/wait.ts';
import { WorkerHarness } from './worker-harness.ts';

const MODEL = join(ROOT, 'native', 'tests', 'fixtures', 'models', 'fixed-boxes.onnx');

/** The fixture's configuration: on a white picture it finds a sign (1.0), a car (0.75) and a person (0.5). */
const config = (threshold: number, more = '') =>
  [
    `[property]\nonnx-file=${MODEL}\nlabelfile-path=labels.txt\nnum-detected-classes=3`,
    'net-scale-factor=0.00392156862\ncluster-mode=4\nparse-bbox-func-name=SightlineParseCenterNet',
    `${more}\n[class-attrs-all]\npre-cluster-threshold=${threshold}\n`,
  ].join('\n');

/** White pictures, a detector and a tracker. */
function detection(file: string) {
  const nodes = [
    node('source', 'videotestsrc', 'source', { 'is-live': true, pattern: 'white' }),
    node('decoded', 'slstamp', 'stamp', { stage: 'decode' }),
    node('infer', 'slinfer', 'infer', {
      'config-file-path': file,
      'onnxruntime-library': onnxRuntimeLibrary(),
    }),
    node('track', 'sltrack', 'track', { 'min-hits': 1, 'new-track-threshold': 0.4 }),
    node('meta', 'slmeta', 'metadata', { 'stream-id': 'cam' }),
    output('out'),
  ];
  const caps = 'video/x-raw,format=RGB,width=128,height=96,framerate=25/1';
  const links = nodes.slice(1).map((to, index) => ({ from: nodes[index]!.id, to: to.id }));
  return graph('cam', nodes, {
    links: links.map((link) => (link.from === 'source' ? { ...link, caps } : link)),
    sessionNodes: ['meta'],
  });
}

test('a new threshold holds at once in a worker, with every frame and every track', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sightline-thresholds-'));
  const write = async (name: string, text: string) => {
    await writeFile(join(folder, name), text);
    return join(folder, name);
  };
  await write('labels.txt', 'person\ncar\nsign\n');
  const lax = await write('lax.txt', config(0.3));
  const strict = await write('strict.txt', config(0.6));
  const other = await write('other.txt', config(0.3, 'maintain-aspect-ratio=1'));
  await using worker = await WorkerHarness.launch();
  try {
    await worker.start([detection(lax)]);
    const frames = () => worker.records.map(({ payload }) => decodeFrame(payload));
    const seen = () =>
      frames()
        .at(-1)
        ?.objects?.map(({ type, id }) => `${type}${id}`)
        .sort()
        .join(' ');
    const see = (what: string) => until(`"${what}" is seen`, 10_000, () => seen() === what);
    const set = (file: string, interval: number) =>
      worker.request('set', {
        graphId: 'cam',
        changes: [
          { node: 'infer', property: 'interval', value: interval },
          { node: 'infer', property: 'config-file-path', value: file },
        ],
      });
    await see('car2 person3 sign1');
    assert.ok('result' in (await set(strict, 0)));
    await see('car2 sign1');
    const refused = await set(other, 5);
    assert.ok('error' in refused);
    assert.equal(refused.error.code, 'SL_BACKEND_UNSUPPORTED');
    const before = worker.records.length;
    await until('10 more frames', 10_000, () => worker.records.length >= before + 10);
    assert.equal(seen(), 'car2 sign1', 'nothing of the refused change holds');
    assert.ok(
      frames().every(({ inferred }) => inferred),
      'nor its interval',
    );
    assert.ok('result' in (await set(lax, 0)));
    await see('car2 person3 sign1');
    const sequences = frames().map(({ frameSequence }) => Number(frameSequence));
    assert.deepEqual(sequences, [...sequences.keys()], 'no frame is lost');
    assert.equal(worker.phases('cam').filter(({ phase }) => phase === 'connecting').length, 1);
  } finally {
    await rm(folder, { recursive: true });
  }
});
