import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { parseDocument } from '../../src/common/document.ts';
import { lowerDeepStream } from '../../src/pipeline/backends/deepstream.ts';
import type { GraphNode } from '../../src/pipeline/graph.ts';
import { allNodes } from '../../src/pipeline/graph-check.ts';
import { loweredText } from '../../src/pipeline/lowered-text.ts';
import { resolve } from '../../src/pipeline/resolve.ts';
import { PipelineSpec } from '../../src/pipeline/spec.ts';
import { deepStreamCheck } from '../../src/services/deepstream-target.ts';
import { deepStream, lower, nodeIn, PLATFORM_NAMES } from './deepstream-fixtures.ts';
import { ENV, MODELS, PIPELINE_FILES, PIPELINES, pipelineText } from './fixtures.ts';

const SPEC = pipelineText(
  '{ type: rtsp, url: "rtsps://h/x" }',
  'images: {}\nannotated: { type: udp, port: 5000 }',
);
/** Properties that only the builds for cards have. */
const CARD_ONLY = ['gpu-id', 'cudadec-memtype', 'preset-id', 'tuning-info-id'];
const JETSON_ONLY = ['enable-max-performance', 'mjpeg', 'preset-level', 'maxperf-enable'];

function nodesOf(platform: (typeof PLATFORM_NAMES)[number]): readonly GraphNode[] {
  return lower(SPEC, deepStream(platform)).graphs.flatMap(allNodes);
}

function factoryOf(platform: (typeof PLATFORM_NAMES)[number], id: string): string | undefined {
  return nodesOf(platform).find((node) => node.id === id)?.factory;
}

test('no property of the other kind of machine is set', () => {
  for (const platform of PLATFORM_NAMES) {
    const card = platform === 'dgpu' || platform === 'sbsa';
    for (const { id, properties } of nodesOf(platform)) {
      const wrong = Object.keys(properties).filter((name) =>
        (card ? JETSON_ONLY : CARD_ONLY).includes(name),
      );
      assert.deepEqual(wrong, [], `${platform} ${id}`);
    }
  }
});

test('encoders are those the platform has', () => {
  assert.deepEqual(
    PLATFORM_NAMES.map((name) => [
      name,
      factoryOf(name, 'image-encode-0'),
      factoryOf(name, 'annotated-encode'),
    ]),
    [
      ['dgpu', 'nvjpegenc', 'nvv4l2h264enc'],
      ['jetson', 'nvjpegenc', 'nvv4l2h264enc'],
      ['orin-nano', 'nvjpegenc', 'x264enc'],
      ['sbsa', 'nvimageenc', 'nvv4l2h264enc'],
    ],
  );
});

test('the bit rate is in the unit of each encoder', () => {
  const rate = (platform: 'dgpu' | 'orin-nano') =>
    nodesOf(platform).find(({ id }) => id === 'annotated-encode')?.properties['bitrate'];
  assert.equal(rate('dgpu'), 4_000_000);
  assert.equal(rate('orin-nano'), 4000);
});

test('MJPEG cameras need a switch of the decoder on Jetson', () => {
  const decoder = (platform: 'dgpu' | 'jetson') =>
    nodeIn(lower(SPEC, deepStream(platform)).graphs[0], 'jpeg-decode-0').properties['mjpeg'];
  assert.equal(decoder('jetson'), true);
  assert.equal(decoder('dgpu'), undefined);
});

for (const file of PIPELINE_FILES) {
  test(`pipelines/${file} passes the check against the catalogue on every platform`, async () => {
    const spec = parseDocument(readFileSync(join(PIPELINES, file), 'utf8'), PipelineSpec, {
      env: ENV,
    });
    const pipeline = resolve(spec.value, { models: MODELS });
    for (const platform of PLATFORM_NAMES) {
      const check = await deepStreamCheck(platform, '9.1');
      const findings = check?.(lowerDeepStream(pipeline, deepStream(platform)), pipeline);
      assert.deepEqual(findings, [], platform);
    }
  });
}

/** The rules of dynamic pipelines, for every ready pipeline on every platform. */
for (const file of PIPELINE_FILES) {
  const text = readFileSync(join(PIPELINES, file), 'utf8');
  test(`pipelines/${file} keeps the rules of dynamic DeepStream graphs`, () => {
    for (const platform of PLATFORM_NAMES) {
      const lowered = lower(text, deepStream(platform));
      for (const graph of lowered.graphs) {
        const nodes = allNodes(graph);
        for (const node of nodes.filter(({ factory }) => /^(appsink|udpsink)$/.test(factory))) {
          assert.equal(node.properties['sync'], false, node.id);
          assert.equal(node.properties['async'], false, node.id);
        }
        const leaky = nodes.filter(({ properties }) => properties['leaky'] !== undefined);
        assert.deepEqual(
          leaky.map(({ id }) => id).filter((id) => id !== 'annotated-queue'),
          [],
        );
        assert.ok(graph.links.some(({ from, to }) => from === 'mux' && to === 'mux-queue'));
        const demuxed = graph.links.filter(({ from }) => from.startsWith('image-demux.'));
        const hasDemux = nodes.some(({ id }) => id === 'image-demux');
        assert.equal(demuxed.length, hasDemux ? graph.streams.length : 0);
        assert.equal(nodeIn(graph, 'mux').properties['batch-size'], graph.streams.length);
        assert.ok(graph.sessionNodes.includes('meta'));
      }
      assert.doesNotMatch(loweredText(lowered, 'text'), /hunter2/);
      assert.doesNotMatch(loweredText(lowered, 'json'), /hunter2/);
      assert.doesNotMatch(loweredText(lowered, 'dot'), /hunter2/);
      assert.match(loweredText(lowered, 'launch', { secrets: true }), /^USE_NEW_NVSTREAMMUX=/);
    }
  });
}
