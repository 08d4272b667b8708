import assert from 'node:assert/strict';
import test from 'node:test';
import { deepStream, firstGraph, lower, nodeIn } from './deepstream-fixtures.ts';
import { pipelineText, thrown } from './fixtures.ts';

const CAMERA = '{ type: rtsp, url: "rtsp://h/x" }';
const SECURE = '{ type: rtsp, url: "rtsps://h/x" }';

/** A pipeline of several streams, named a, b... */
function streams(sources: readonly string[], lines = '', id = 'p'): string {
  const items = sources.map((source, index) => `  - { id: ${'abcdef'[index]}, source: ${source} }`);
  return `id: ${id}\ninfer: { model: centernet-512x384 }\n${lines}\nstreams:\n${items.join('\n')}\n`;
}

test('all streams share a graph, in the order of the muxer pads', () => {
  const text = streams([CAMERA, '{ type: file, path: a.mp4 }', CAMERA]);
  assert.equal(lower(text).graphs.length, 1);
  const graph = firstGraph(text);
  assert.deepEqual(graph.streams, ['a', 'b', 'c']);
  assert.equal(graph.id, 'p');
  for (const [pad, stream] of ['a', 'b', 'c'].entries()) {
    assert.equal(nodeIn(graph, `source-${pad}`).stream, stream);
    assert.equal(nodeIn(graph, `source-${pad}`).properties['source-id'], pad);
    assert.equal(nodeIn(graph, `source-${pad}`).origin, `/streams/${pad}/source`);
    const into = graph.links.filter(({ to }) => to === `mux.sink_${pad}`);
    assert.deepEqual(
      into.map(({ from }) => from),
      [`decoded-${pad}`],
    );
  }
  assert.equal(nodeIn(graph, 'mux').properties['batch-size'], 3);
  assert.equal(nodeIn(graph, 'infer').properties['batch-size'], 3);
  assert.equal(nodeIn(graph, 'meta').properties['streams'], '0=a/a;1=b/b;2=c/c');
});

test('latency budgets are kept in front of the muxer, which waits for half of the least', () => {
  const budget = (drop: string) => `latency: { budgetMs: 60, drop: ${drop} }`;
  const { graphs, notes } = lower(streams([CAMERA, SECURE], budget('non-key')));
  const [shared, own] = graphs;
  assert.deepEqual(nodeIn(shared, 'latency-0').properties, { 'budget-ms': 60, drop: 'oldest' });
  assert.deepEqual(nodeIn(own, 'latency-0').properties, { 'budget-ms': 60, drop: 'non-key' });
  assert.equal(nodeIn(own, 'h264-skip-0').factory, 'slskip');
  assert.equal(nodeIn(shared, 'mux').properties['batched-push-timeout'], 30_000);
  assert.deepEqual(
    notes.map(({ pointer }) => pointer).filter((pointer) => pointer.startsWith('/latency')),
    ['/latency/drop'],
  );
  const newest = lower(streams([CAMERA], budget('newest')));
  assert.match(newest.notes[0]?.message ?? '', /nothing waits in front of the muxer/);
  const plain = firstGraph(streams([CAMERA]));
  assert.ok(!plain.nodes.some(({ factory }) => factory === 'sllatency'));
  assert.equal(nodeIn(plain, 'mux').properties['batched-push-timeout'], 40_000);
});

test('a stream over TLS has a graph of its own, whose end is told', () => {
  const { graphs } = lower(streams([CAMERA, SECURE, CAMERA]));
  assert.deepEqual(
    graphs.map(({ id, streams: ids }) => [id, ids]),
    [
      ['p', ['a', 'c']],
      ['b', ['b']],
    ],
  );
  const [shared, own] = graphs;
  assert.equal(nodeIn(own, 'source-0').factory, 'rtspsrc');
  assert.equal(nodeIn(own, 'mux').properties['batch-size'], 1);
  assert.equal(nodeIn(own, 'mux').properties['drop-pipeline-eos'], false);
  assert.equal(nodeIn(shared, 'mux').properties['drop-pipeline-eos'], true);
  assert.equal(nodeIn(own, 'infer').properties['batch-size'], 1);
  assert.equal(nodeIn(own, 'meta').properties['capture-clock'], 'arrival');
  assert.equal(nodeIn(shared, 'meta').properties['capture-clock'], 'rtcp');
});

test('a stream with a graph of its own may be called like its pipeline', () => {
  const ids = lower(streams([SECURE, CAMERA], '', 'a')).graphs.map(({ id }) => id);
  assert.deepEqual(ids, ['a.shared', 'a']);
  assert.deepEqual(
    lower(streams([SECURE], '', 'a')).graphs.map(({ id }) => id),
    ['a'],
  );
});

test('deepstream.source chooses the path of cameras', () => {
  const own = lower(streams([CAMERA, CAMERA], 'deepstream: { source: rtspsrc }'));
  assert.deepEqual(
    own.graphs.map(({ id }) => id),
    ['a', 'b'],
  );
  const { code, problems } = thrown(() =>
    lower(streams([CAMERA, SECURE], 'deepstream: { source: nvurisrcbin }')),
  );
  assert.equal(code, 'SL_SPEC_INVALID');
  assert.deepEqual(problems, [
    {
      pointer: '/deepstream/source',
      message:
        'must be "auto" or "rtspsrc": nvurisrcbin never reconnects to an rtsps:// camera (/streams/1/source/url)',
    },
  ]);
});

test('cameras reconnect inside the graph, with the transport asked for', () => {
  const source = (text: string) => nodeIn(lower(streams([text])).graphs[0], 'source-0').properties;
  const tcp = source(CAMERA);
  assert.equal(tcp['select-rtp-protocol'], 4);
  assert.equal(tcp['rtsp-reconnect-attempts'], -1);
  assert.ok(Number(tcp['rtsp-reconnect-interval']) > 0);
  const udp = source('{ type: rtsp, url: "rtsp://h/x", transport: udp, latencyMs: 50 }');
  assert.equal(udp['select-rtp-protocol'], 1);
  assert.equal(udp['latency'], 50);
});

test('a file is a URI from the working directory, whatever its name holds', () => {
  const source = (path: string) =>
    nodeIn(
      lower(pipelineText(`{ type: file, path: ${JSON.stringify(path)} }`)).graphs[0],
      'source-0',
    );
  assert.equal(
    source('clips/a b#1?.mp4').properties['uri'],
    'file:///srv/video/clips/a%20b%231%3F.mp4',
  );
  assert.equal(source('/x/y.mp4').properties['uri'], 'file:///x/y.mp4');
  assert.equal(source('a@b.mp4').secret?.length, 0);
});

test('recordings alone wait for full batches, and their end is told', () => {
  const files = streams(['{ type: file, path: a }', '{ type: http, url: "http://h/b.mp4" }']);
  const { properties } = nodeIn(lower(files).graphs[0], 'mux');
  assert.equal(properties['live-source'], false);
  assert.equal(properties['batched-push-timeout'], -1);
  assert.equal(properties['drop-pipeline-eos'], false);
  assert.equal(properties['attach-sys-ts'], true);
  const paced = lower(pipelineText('{ type: file, path: a, pace: realtime }')).graphs[0];
  assert.equal(nodeIn(paced, 'pace-0').factory, 'clocksync');
  assert.equal(nodeIn(paced, 'mux').properties['live-source'], true);
});

test('the muxer is chosen for the whole process, with a plugin registry of its own', () => {
  const old = lower(streams([CAMERA]));
  const fresh = lower(streams([CAMERA], 'deepstream: { muxer: { kind: new } }'));
  assert.equal(old.environment['USE_NEW_NVSTREAMMUX'], 'no');
  assert.equal(fresh.environment['USE_NEW_NVSTREAMMUX'], 'yes');
  assert.notEqual(old.environment['GST_REGISTRY'], fresh.environment['GST_REGISTRY']);
});

test('the new muxer gets no sizes, and frames in one format', () => {
  const [graph] = lower(streams([CAMERA], 'deepstream: { muxer: { kind: new } }')).graphs;
  assert.deepEqual(Object.keys(nodeIn(graph, 'mux').properties).sort(), [
    'attach-sys-ts',
    'batch-size',
    'batched-push-timeout',
    'drop-pipeline-eos',
    'sync-inputs',
  ]);
  assert.equal(nodeIn(graph, 'format-0').factory, 'nvvideoconvert');
  assert.equal(
    graph?.links.find(({ to }) => to === 'mux.sink_0')?.caps,
    'video/x-raw(memory:NVMM),format=NV12',
  );
  const old = lower(streams([CAMERA])).graphs[0];
  assert.throws(() => nodeIn(old, 'format-0'));
});

test('settings of the old muxer are refused for the new one', () => {
  const muxer = '{ kind: new, width: 640, height: 480, padding: true, batchTimeoutUs: -1 }';
  const { code, problems } = thrown(() =>
    lower(streams([CAMERA], `deepstream: { muxer: ${muxer} }`)),
  );
  assert.equal(code, 'SL_SPEC_INVALID');
  assert.deepEqual(
    problems.map(({ pointer }) => pointer.replace('/deepstream/muxer/', '')),
    ['width', 'height', 'padding', 'batchTimeoutUs'],
  );
});

test('the muxer and the message agree on the clock and the bars', () => {
  const muxer = 'deepstream: { muxer: { padding: true, systemTime: true, batchTimeoutUs: 5000 } }';
  const [graph] = lower(streams([CAMERA], muxer)).graphs;
  assert.equal(nodeIn(graph, 'mux').properties['enable-padding'], true);
  assert.equal(nodeIn(graph, 'meta').properties['padding'], true);
  assert.equal(nodeIn(graph, 'mux').properties['attach-sys-ts'], true);
  assert.equal(nodeIn(graph, 'meta').properties['capture-clock'], 'arrival');
  assert.equal(nodeIn(graph, 'mux').properties['batched-push-timeout'], 5000);
});

test('a release that does not run on a platform is refused, one with a catch is noted', () => {
  const nine = deepStream('orin-nano', { deepstream: '9.0' });
  const { code, problems } = thrown(() => lower(streams([CAMERA]), nine));
  assert.equal(code, 'SL_BACKEND_UNSUPPORTED');
  assert.match(
    problems[0]?.message ?? '',
    /DeepStream 9\.0 does not run on orin-nano .*: use 9\.1/,
  );
  const { notes } = lower(streams([CAMERA]), deepStream('jetson', { deepstream: '9.0' }));
  assert.ok(notes.some(({ message }) => /Thor only/.test(message)));
});

test('a second GPU exists on cards alone', () => {
  const spec = streams([CAMERA], 'deepstream: { gpuId: 1 }');
  assert.equal(nodeIn(lower(spec).graphs[0], 'infer').properties['gpu-id'], 1);
  const { code, problems } = thrown(() => lower(spec, deepStream('jetson')));
  assert.equal(code, 'SL_BACKEND_UNSUPPORTED');
  assert.equal(problems[0]?.pointer, '/deepstream/gpuId');
});

test('the same pipeline is lowered to the same bytes', () => {
  const spec = streams([CAMERA, SECURE], 'images: {}');
  assert.equal(JSON.stringify(lower(spec)), JSON.stringify(lower(spec)));
});
