import assert from 'node:assert/strict';
import test from 'node:test';
import { firstGraph, lower, nodeIn } from './deepstream-fixtures.ts';
import { pipelineText, thrown } from './fixtures.ts';

const CAMERA = '{ type: rtsp, url: "rtsp://h/x" }';

/** A pipeline of `count` cameras. */
function cameras(count: number, lines: string): string {
  const more = Array.from(
    { length: count - 1 },
    (_, index) => `  - { id: cam-${index + 1}, source: ${CAMERA} }\n`,
  );
  return pipelineText(CAMERA, lines) + more.join('');
}

test('without side outputs the chain ends in the metadata, which never leaks', () => {
  const graph = firstGraph(cameras(2, ''));
  assert.throws(() => nodeIn(graph, 'split'));
  assert.ok(graph.links.some(({ from, to }) => from === 'meta' && to === 'metadata'));
  assert.equal(nodeIn(graph, 'metadata').properties['drop'], false);
  assert.equal(nodeIn(graph, 'metadata-queue').properties['leaky'], undefined);
  assert.deepEqual(graph.sessionNodes, ['meta']);
});

test('pictures are chosen before the split and named in the session of their stream', () => {
  const graph = firstGraph(cameras(2, 'images: { everyMs: 2000, when: always, quality: 70 }'));
  assert.deepEqual(nodeIn(graph, 'sample').properties, {
    action: 'mark',
    'interval-ms': 2000,
    when: 'always',
    'capture-clock': 'rtcp',
  });
  assert.ok(graph.links.some(({ from, to }) => from === 'sample' && to === 'split'));
  for (const [pad, stream] of ['cam', 'cam-1'].entries()) {
    assert.ok(
      graph.links.some(
        ({ from, to }) => from === `image-demux.src_${pad}` && to === `image-name-${pad}`,
      ),
    );
    assert.equal(nodeIn(graph, `image-${pad}`).properties['stream-id'], stream);
    assert.equal(nodeIn(graph, `image-${pad}`).stream, stream);
    assert.equal(nodeIn(graph, `image-encode-${pad}`).properties['quality'], 70);
  }
  assert.deepEqual(graph.sessionNodes, ['meta', 'image-0', 'image-1']);
  assert.equal(graph.nodes.filter(({ outputKind }) => outputKind === 2).length, 1);
});

test('several streams share the drawn video as tiles, one has it alone', () => {
  const annotated = 'annotated: { type: udp, port: 5000, width: 640, height: 360 }';
  const many = firstGraph(cameras(5, annotated));
  const { rows, columns, width, height } = nodeIn(many, 'annotated-tile').properties;
  assert.deepEqual([rows, columns, width, height], [2, 3, 640, 360]);
  const one = firstGraph(cameras(1, annotated));
  assert.throws(() => nodeIn(one, 'annotated-tile'));
  assert.equal(
    one.links.find(({ to }) => to === 'annotated-draw')?.caps,
    'video/x-raw(memory:NVMM),format=RGBA,width=640,height=360',
  );
  assert.equal(nodeIn(one, 'annotated-queue').properties['leaky'], 'downstream');
});

test('the drawn video goes where it is asked for', () => {
  const udp = firstGraph(cameras(1, 'annotated: { type: udp, host: "::1", port: 5000 }'));
  assert.equal(nodeIn(udp, 'annotated-sink').properties['host'], '::1');
  const rtsp = firstGraph(cameras(1, 'annotated: { type: rtsp, port: 8600, bitrateKbps: 900 }'));
  const server = nodeIn(rtsp, 'annotated-server').properties;
  assert.equal(server['rtsp-port'], 8600);
  assert.equal(server['rtsp-mount-point'], '/p');
  assert.equal(server['bitrate'], 900_000);
  assert.ok(rtsp.links.some(({ to }) => to === 'annotated-server.vsink'));
});

test('graphs of one pipeline do not send their videos to one port', () => {
  const text = `${cameras(1, 'annotated: { type: udp, port: 65535 }')}  - { id: safe, source: { type: rtsp, url: "rtsps://h/x" } }\n`;
  const { problems } = thrown(() => lower(text));
  assert.deepEqual(problems, [
    { pointer: '/annotated/port', message: 'leaves no port for the video of "safe"' },
  ]);
  const { graphs, notes } = lower(text.replace('65535', '5000'));
  assert.deepEqual(
    graphs.map((graph) => nodeIn(graph, 'annotated-sink').properties['port']),
    [5000, 5001],
  );
  assert.ok(notes.some(({ pointer }) => pointer === '/annotated/port'));
});

test('more streams than the tiler shows are refused', () => {
  const { code, problems } = thrown(() =>
    lower(cameras(129, 'annotated: { type: udp, port: 5000 }')),
  );
  assert.equal(code, 'SL_BACKEND_UNSUPPORTED');
  assert.equal(problems[0]?.pointer, '/annotated');
});

const ZONE =
  '{ id: z, polygon: [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9]], streams: [cam-1], classes: [car] }';

test('analytics stand behind the tracker, and count on the pad of their stream', () => {
  const { graphs, files } = lower(cameras(2, `analytics: { zones: [${ZONE}] }`));
  const node = nodeIn(graphs[0], 'analytics');
  assert.equal(node.properties['unique-id'], 17);
  assert.equal(node.origin, '/analytics');
  const file = files.find(({ path }) => path === node.properties['config-file']);
  assert.equal(file?.kind, 'analytics');
  assert.match(file.text, /^\[roi-filtering-stream-1\]$/m);
  assert.match(file.text, /^osd-mode=0$/m);
});

test('a graph without zones of its streams counts nothing, others are drawn where there is a video', () => {
  const lines = `analytics: { zones: [${ZONE}] }\nannotated: { type: udp, port: 5000 }`;
  const text = `${cameras(2, lines)}  - { id: safe, source: { type: rtsp, url: "rtsps://h/x" } }\n`;
  const { graphs, files } = lower(text);
  assert.throws(() => nodeIn(graphs[1], 'analytics'));
  assert.match(files.find(({ kind }) => kind === 'analytics')?.text ?? '', /^osd-mode=2$/m);
});
