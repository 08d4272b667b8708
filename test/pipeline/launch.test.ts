import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import test, { before } from 'node:test';
import { parseDocument } from '../../src/common/document.ts';
import { onnxRuntimeLibrary, PATHS } from '../../src/common/paths.ts';
import { decodeFrame } from '../../src/metadata/frame.ts';
import { loadModel } from '../../src/models/catalog.ts';
import { ensureModel } from '../../src/models/ensure.ts';
import { lowerCpu } from '../../src/pipeline/backends/cpu.ts';
import { codecsOf, launchText } from '../../src/pipeline/launch-text.ts';
import { type ResolvedModel, resolve } from '../../src/pipeline/resolve.ts';
import { PipelineSpec } from '../../src/pipeline/spec.ts';
import { compile, pipelineText } from './fixtures.ts';
import { inFolder, runShell } from './run.ts';

const MODEL_NAME = 'centernet-320x320';
const FRAMES = 12;
/** A name that breaks careless quoting. */
const CLIP = 'it\'s a "clip" $HOME';

/** How a clip of each codec is made. Raw video is stored as it is. */
const CLIPS: Readonly<Record<string, string>> = {
  h264: 'x264enc bframes=0 key-int-max=6 ! mp4mux',
  h265: 'x265enc ! h265parse ! mp4mux',
  jpeg: 'jpegenc ! avimux',
  mpeg4: 'avenc_mpeg4 ! avimux',
  msmpeg4: 'avenc_msmpeg4 ! avimux',
  mpeg2: 'mpeg2enc format=3 ! mpegvideoparse ! matroskamux',
  vp8: 'vp8enc deadline=1 ! webmmux',
  vp9: 'vp9enc deadline=1 ! webmmux',
  raw: 'avimux',
};

let model: ResolvedModel;
before(async () => {
  await ensureModel(MODEL_NAME);
  model = await loadModel(PATHS.models, MODEL_NAME);
});

function makeClip(codec: string, file: string): string {
  const video = `videotestsrc num-buffers=${FRAMES} pattern=ball ! video/x-raw,format=I420,width=320,height=240,framerate=25/1`;
  return `gst-launch-1.0 -q ${video} ! ${CLIPS[codec]} ! filesink location=${file} && mv ${file} "$CLIP"`;
}

/** Lowers a pipeline text and prints it so that each frame's message lands in a file of its own. */
function runnableLine(text: string, codec: string, secrets = false): string {
  const spec = parseDocument(text, PipelineSpec, { env: { CLIP } }).value;
  const pipeline = resolve(spec, { models: () => model });
  const { graphs } = lowerCpu(pipeline, {
    onnxRuntimeLibrary: onnxRuntimeLibrary(),
    cores: 2,
    filesDir: '/',
  });
  const [first, ...rest] = launchText(graphs, { codec, secrets }).split(
    'fakesink sync=false async=false',
  );
  return [first, ...rest]
    .map((part, index) =>
      index === 0 ? part : `multifilesink async=false location=out${index}-%03d${part}`,
    )
    .join('');
}

async function outputs(folder: string, index: number): Promise<Buffer[]> {
  const names = (await readdir(folder)).filter((name) => name.startsWith(`out${index}-`)).sort();
  return Promise.all(names.map((name) => readFile(join(folder, name))));
}

for (const codec of Object.keys(CLIPS)) {
  test(`the launch line of a ${codec} file runs and gives a message for every frame`, async () => {
    const text = pipelineText(`{ type: file, path: "\${CLIP}" }`).replaceAll(
      'centernet-512x384',
      MODEL_NAME,
    );
    await inFolder(async (folder) => {
      await runShell(`CLIP='${CLIP.replaceAll("'", `'\\''`)}'; ${makeClip(codec, 'clip')}`, folder);
      await runShell(runnableLine(text, codec), folder);
      const frames = (await outputs(folder, 1)).map(decodeFrame);
      assert.deepEqual(
        frames.map(({ id, streamId }) => `${streamId} ${id}`),
        Array.from({ length: FRAMES }, (_, index) => `cam ${index}`),
      );
    });
  });
}

test('a video behind a web address with a password runs to its end', async () => {
  await inFolder(async (folder) => {
    await runShell(`CLIP=clip.mp4; ${makeClip('h264', 'clip')}`, folder);
    const clip = await readFile(join(folder, 'clip.mp4'));
    const wanted = `Basic ${Buffer.from('viewer:a b@c').toString('base64')}`;
    const refused: string[] = [];
    const server = createServer(({ headers, url = '' }, response) => {
      if (headers.authorization === wanted) response.end(clip);
      else {
        refused.push(url);
        response.writeHead(401, { 'www-authenticate': 'Basic realm="clips"' }).end();
      }
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    try {
      const { port } = server.address() as AddressInfo;
      const source = `{ type: http, url: "http://viewer:a%20b%40c@127.0.0.1:${port}/c.mp4" }`;
      const text = pipelineText(source).replaceAll('centernet-512x384', MODEL_NAME);
      await runShell(runnableLine(text, 'h264', true), folder);
    } finally {
      server.close();
    }
    assert.ok(refused.length > 0, 'the server asked for the password');
    assert.equal((await outputs(folder, 1)).length, FRAMES);
  });
});

test('the launch line with pictures, at real time, in two graphs runs', async () => {
  const source = `{ type: file, path: "\${CLIP}", pace: realtime }`;
  const images = 'images: { everyMs: 200, when: always }';
  const text = `${pipelineText(source, images)}  - { id: two, source: ${source} }\n`;
  await inFolder(async (folder) => {
    await runShell(`CLIP='${CLIP.replaceAll("'", `'\\''`)}'; ${makeClip('h264', 'clip')}`, folder);
    await runShell(runnableLine(text.replaceAll('centernet-512x384', MODEL_NAME), 'h264'), folder);
    for (const [frames, images, stream] of [
      [1, 2, 'cam'],
      [3, 4, 'two'],
    ] as const) {
      const messages = (await outputs(folder, frames)).map(decodeFrame);
      assert.ok(messages.length > 0);
      assert.ok(messages.every(({ streamId }) => streamId === stream));
      const refs = messages.map(({ imageRef }) => imageRef).filter((ref) => ref !== '');
      assert.equal((await outputs(folder, images)).length, refs.length);
      assert.ok(refs.length >= 1 && refs.length <= 3, `${refs.length} pictures`);
    }
  });
});

test('launchText() shows the codec that is asked for and the first one otherwise', () => {
  const graphs = compile(pipelineText('{ type: rtsp, url: "rtsp://h/x" }'));
  assert.deepEqual(codecsOf(graphs[0]!), ['h264', 'h265', 'jpeg', 'mpeg4']);
  assert.match(launchText(graphs), /rtph264depay/);
  assert.match(launchText(graphs, { codec: 'mpeg4' }), /rtpmp4vdepay/);
  assert.doesNotMatch(launchText(graphs, { codec: 'mpeg4' }), /h264/);
});

test('launchText() prints a password only when asked', () => {
  const graphs = compile(pipelineText('{ type: rtsp, url: "rtsp://u:hunter2@h/x" }'));
  assert.doesNotMatch(launchText(graphs), /hunter2/);
  assert.match(launchText(graphs, { secrets: true }), / location='?rtsp:\/\/u:hunter2@h\/x/);
});
