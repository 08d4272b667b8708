import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { GstPipeline } from '../../src/gst/pipeline.ts';
import type { Graph, GraphNode } from '../../src/pipeline/graph.ts';
import { until } from '../support/wait.ts';
import { graph, node, output } from './graphs.ts';

const FRAMES = 25;
let folder: string;
let clip: string;

/** A clip with sound, so that parsebin offers two pads. */
async function encodeClip(file: string): Promise<void> {
  let ended = false;
  const nodes = [
    node('video', 'videotestsrc', 'source', { 'num-buffers': FRAMES }),
    node('encode', 'x264enc', 'convert', { tune: 'zerolatency', 'key-int-max': 5 }),
    node('audio', 'audiotestsrc', 'source', { 'num-buffers': 40 }),
    node('encode-audio', 'avenc_aac', 'convert'),
    node('mux', 'mp4mux', 'mux'),
    node('file', 'filesink', 'output', { location: file }),
  ];
  await using pipeline = await GstPipeline.create(
    graph('encode', nodes, {
      links: [
        { from: 'video', to: 'encode', caps: 'video/x-raw,width=64,height=48,framerate=25/1' },
        { from: 'audio', to: 'encode-audio' },
        { from: 'encode', to: 'mux.video_%u' },
        { from: 'encode-audio', to: 'mux.audio_%u' },
        { from: 'mux', to: 'file' },
      ],
    }),
    {
      onEvent: ({ type }) => {
        if (type === 'eos') ended = true;
      },
    },
  );
  await pipeline.setState('playing');
  await until('the clip is encoded', 10_000, () => ended);
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sightline-choices-'));
  clip = join(folder, 'clip.mp4');
  await encodeClip(clip);
});
after(() => rm(folder, { recursive: true, force: true }));

function playFile(
  location: string,
  alternatives: readonly { caps: string; chain: readonly GraphNode[] }[],
): Graph {
  return graph(
    'play',
    [
      node('file', 'filesrc', 'source', { location }),
      node('demux', 'parsebin', 'parse'),
      output('out'),
    ],
    {
      links: [{ from: 'file', to: 'demux' }],
      choices: [{ from: 'demux', to: 'out', alternatives }],
    },
  );
}

const H264 = { caps: 'video/x-h264', chain: [node('dec', 'avdec_h264', 'decode')] };
const H265 = { caps: 'video/x-h265', chain: [node('dec5', 'avdec_h265', 'decode')] };

async function play(choice: Graph): Promise<{ pipeline: GstPipeline; ended: () => boolean }> {
  let ended = false;
  const pipeline = await GstPipeline.create(choice, {
    watch: ['dec'],
    onEvent: ({ type }) => {
      if (type === 'eos') ended = true;
    },
  });
  await pipeline.setState('playing');
  return { pipeline, ended: () => ended };
}

test('a choice builds the alternative that takes the pad, and leaves other pads alone', async () => {
  const { pipeline, ended } = await play(playFile(clip, [H265, H264]));
  await using _ = pipeline;
  await until('the clip ends', 10_000, ended);
  assert.equal(pipeline.error, undefined);
  assert.equal(pipeline.counters().outputs['out']?.records, FRAMES);
  // The alternative that was not chosen has no element.
  assert.deepEqual(
    await pipeline.getProperties([
      ['dec', 'max-threads'],
      ['dec5', 'max-threads'],
    ]),
    [0, null],
  );
});

test('a choice without a match fails with SL_SOURCE_UNSUPPORTED and names what was offered', async () => {
  const { pipeline } = await play(playFile(clip, [H265]));
  await using _ = pipeline;
  const error = await until('the failure', 5_000, () => pipeline.error);
  assert.equal(error.code, 'SL_SOURCE_UNSUPPORTED');
  assert.match(
    error.message,
    /"demux" offers .*video\/x-h264.*; this pipeline takes video\/x-h265/,
  );
});

test('a chosen alternative with a missing element fails with SL_SOURCE_UNSUPPORTED', async () => {
  const missing = { caps: 'video/x-h264', chain: [node('dec', 'nodec_h264', 'decode')] };
  const { pipeline } = await play(playFile(clip, [missing]));
  await using _ = pipeline;
  const error = await until('the failure', 5_000, () => pipeline.error);
  assert.equal(error.code, 'SL_SOURCE_UNSUPPORTED');
  assert.match(error.message, /The stream is video\/x-h264.*no element "nodec_h264"/);
});

test('an alternative that is not chosen may name elements that are not installed', async () => {
  const missing = { caps: 'video/x-vp9', chain: [node('vp9', 'nodec_vp9', 'decode')] };
  const { pipeline, ended } = await play(playFile(clip, [missing, H264]));
  await using _ = pipeline;
  await until('the clip ends', 10_000, ended);
  assert.equal(pipeline.error, undefined);
});

test('a bad property in a chosen chain fails with SL_SPEC_INVALID', async () => {
  const bad = {
    caps: 'video/x-h264',
    chain: [node('dec', 'avdec_h264', 'decode', { 'max-threads': -1 })],
  };
  const { pipeline } = await play(playFile(clip, [bad]));
  await using _ = pipeline;
  const error = await until('the failure', 5_000, () => pipeline.error);
  assert.equal(error.code, 'SL_SPEC_INVALID');
  assert.match(error.message, /Node "dec" \(avdec_h264\): property "max-threads" cannot be -1/);
});

test('a file that is no video fails with SL_SOURCE_NOT_VIDEO', async () => {
  const text = join(folder, 'text.mp4');
  await writeFile(text, 'This is no video.\n'.repeat(1000));
  const { pipeline } = await play(playFile(text, [H264]));
  await using _ = pipeline;
  const error = await until('the failure', 5_000, () => pipeline.error);
  assert.equal(error.code, 'SL_SOURCE_NOT_VIDEO');
});

test('create() refuses a choice with broken caps or unknown nodes', async () => {
  await assert.rejects(GstPipeline.create(playFile(clip, [{ caps: 'no caps!', chain: [] }])), {
    code: 'SL_SPEC_INVALID',
    message: /"no caps!" is not a caps description/,
  });
  const choice = { from: 'demux', to: 'nowhere', alternatives: [H264] };
  await assert.rejects(GstPipeline.create({ ...playFile(clip, []), choices: [choice] }), {
    code: 'SL_SPEC_INVALID',
  });
});
