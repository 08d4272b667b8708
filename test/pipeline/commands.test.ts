import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import {
  type CommandContext,
  type CompileOptions,
  compileFile,
  validateFile,
} from '../../src/pipeline/commands.ts';
import { CPU, ENV, MODEL, MODELS, PIPELINE_FILES, PIPELINES, pipelineText } from './fixtures.ts';
import { inFolder } from './run.ts';

const OPTIONS: CompileOptions = {
  backend: 'cpu',
  format: 'text',
  cpu: CPU,
  writeFiles: async () => undefined,
  configWithThreshold: async (model, threshold) => `${model.configFile}-${threshold}`,
};

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: readonly string[];
}

async function withContext(run: (context: CommandContext) => Promise<number>): Promise<Ran> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await run({
    models: MODELS,
    env: ENV,
    print: (line) => out.push(line),
    printError: (line) => err.push(line),
  });
  return { code, out: out.join('\n'), err };
}

async function validate(text: string): Promise<Ran & { file: string }> {
  return inFolder(async (folder) => {
    const file = join(folder, 'p.yaml');
    await writeFile(file, text);
    return { ...(await withContext((context) => validateFile(file, context))), file };
  });
}

test('validateFile() says ok for every ready pipeline', async () => {
  for (const name of PIPELINE_FILES) {
    const file = join(PIPELINES, name);
    assert.deepEqual(await withContext((context) => validateFile(file, context)), {
      code: 0,
      out: `${file}: ok`,
      err: [],
    });
  }
});

test('validateFile() prints every problem of the shape with its place', async () => {
  const { code, err, file } = await validate(
    'id: p\nstream: []\ninfer: { model: m, intervall: 1 }\n',
  );
  assert.equal(code, 1);
  assert.deepEqual(err, [
    `${file}:1:1: "streams" is missing`,
    `${file}:2:1: /stream: unknown key "stream"; did you mean "streams"?`,
    `${file}:3:20: /infer/intervall: unknown key "intervall"; did you mean "interval"?`,
  ]);
});

test('validateFile() prints every problem of the meaning with its place', async () => {
  const infer = `infer: { model: ${MODEL.name}, classes: [persn] }`;
  const stream = '  - { id: a, source: { type: rtsp, url: "rtsp://u:hunter2@h:0/x" } }';
  const { code, err, file } = await validate(
    ['id: p', infer, 'streams:', stream, stream].join('\n'),
  );
  assert.equal(code, 1);
  const column = infer.indexOf('persn') + 1;
  assert.deepEqual(err, [
    `${file}:2:${column}: /infer/classes/0: "persn" is no label of the model "${MODEL.name}"; did you mean "person"?`,
    `${file}:4:11: /streams/0/id: the id "a" is used again by /streams/1`,
    `${file}:4:41: /streams/0/source/url: has a port that is not between 1 and 65535`,
    `${file}:5:11: /streams/1/id: the id "a" is taken by /streams/0`,
    `${file}:5:41: /streams/1/source/url: has a port that is not between 1 and 65535`,
  ]);
});

test('validateFile() prints why a file cannot be read', async () => {
  const { code, err } = await withContext((context) => validateFile('/nowhere/p.yaml', context));
  assert.equal(code, 1);
  assert.deepEqual(err, ['Cannot read /nowhere/p.yaml: there is no such file']);
});

test('compileFile() prints every format without the password', async () => {
  const file = join(PIPELINES, 'multi-camera.yaml');
  const starts = {
    text: 'graph dock-1\n  streams: dock-1\n',
    dot: 'digraph sightline {\n',
    launch: 'gst-launch-1.0 \\\n  rtspsrc ',
    json: '{\n  "backend": "cpu",\n',
  } as const;
  for (const [format, start] of Object.entries(starts)) {
    const options = { ...OPTIONS, format: format as CompileOptions['format'] };
    const { code, out, err } = await withContext((context) => compileFile(file, options, context));
    assert.deepEqual({ code, err }, { code: 0, err: [] });
    assert.equal(out.slice(0, start.length), start);
    assert.doesNotMatch(out, /hunter2/);
    assert.match(out, /dock-2/);
  }
});

test('compileFile() prints the password in a launch line that is to run', async () => {
  const options = {
    ...OPTIONS,
    format: 'launch',
    secrets: true,
    pluginDir: '/my plugins',
  } as const;
  const file = join(PIPELINES, 'people-rtsp.yaml');
  const { out } = await withContext((context) => compileFile(file, options, context));
  assert.match(out, /^GST_PLUGIN_PATH='\/my plugins' gst-launch-1\.0 .*rtsp:\/\/[a-z]+:hunter2@/s);
});

test('compileFile() uses a configuration of its own for a threshold', async () => {
  const file = join(PIPELINES, 'people-rtsp.yaml');
  const { out } = await withContext((context) => compileFile(file, OPTIONS, context));
  assert.ok(out.includes(`config-file-path: "${MODEL.configFile}-0.35"`));
});

test('compileFile() refuses a codec the source does not offer', async () => {
  const file = join(PIPELINES, 'people-rtsp.yaml');
  const options = { ...OPTIONS, format: 'launch', codec: 'vp9' } as const;
  const { code, err } = await withContext((context) => compileFile(file, options, context));
  assert.equal(code, 1);
  assert.deepEqual(err, [
    `Cannot compile ${file} for codec "vp9": known are h264, h265, jpeg, mpeg4`,
  ]);
});

test('compileFile() escapes values in GraphViz strings', async () => {
  await inFolder(async (folder) => {
    const file = join(folder, 'p.yaml');
    await writeFile(file, pipelineText(`{ type: file, path: 'a"];\\b' }`));
    const options = { ...OPTIONS, format: 'dot' } as const;
    const { out } = await withContext((context) => compileFile(file, options, context));
    assert.ok(out.includes('label="source: filesrc\\llocation=a\\"];\\\\b\\l"'), out);
  });
});
