import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { checkValue } from '../../src/common/check.ts';
import { PATHS } from '../../src/common/paths.ts';
import { ensureModel } from '../../src/models/ensure.ts';
import { PipelineSpec, StreamSpec } from '../../src/pipeline/spec.ts';
import { createCompiler } from '../../src/services/compiler.ts';

const MODEL = 'centernet-320x320';

test('the files that a graph reads are there once it is compiled', async () => {
  await ensureModel(MODEL);
  const workDir = await mkdtemp(join(tmpdir(), 'sightline-compiler-'));
  try {
    const compiler = createCompiler({ modelsDir: PATHS.models, workDir });
    const spec = {
      id: 'cam',
      source: { type: 'rtsp', url: 'rtsp://h/x', transport: 'tcp', latencyMs: 200 },
      infer: { model: MODEL, interval: 0 },
      analytics: {
        zones: [
          {
            id: 'bay',
            polygon: [
              [0, 0],
              [1, 0],
              [1, 0.5],
            ],
            invert: false,
          },
        ],
        lines: [],
        directions: [],
      },
    } as unknown as Parameters<typeof compiler.stream>[0];
    const { graphs } = await compiler.stream(spec);
    const node = graphs[0]?.nodes.find(({ factory }) => factory === 'slanalytics');
    const text = await readFile(String(node?.properties['config-file']), 'utf8');
    assert.match(text, /^roi-bay=0;0;10000;0;10000;5000$/m);
    await compiler.stream(spec);
    assert.equal((await readdir(workDir)).length, 1, 'the same text is the same file');
  } finally {
    await rm(workDir, { recursive: true });
  }
});

test('streams that are switched off are compiled to nothing and stay in view', async () => {
  await ensureModel(MODEL);
  const workDir = await mkdtemp(join(tmpdir(), 'sightline-compiler-'));
  try {
    const compiler = createCompiler({ modelsDir: PATHS.models, workDir, sinks: () => ['files'] });
    const source = { type: 'rtsp', url: 'rtsp://h/x' };
    const spec = {
      id: 'p',
      infer: { model: MODEL },
      priority: 10,
      sinks: ['files'],
      streams: [
        { id: 'off', source, enabled: false },
        { id: 'on', source, priority: 90 },
      ],
    };
    const compiled = await compiler.pipeline(checkValue(spec, PipelineSpec), 'config');
    assert.deepEqual(
      compiled.graphs.map(({ streams }) => streams),
      [['on']],
    );
    const [off, on] = compiled.streams;
    assert.deepEqual([off?.id, off?.spec.enabled, off?.spec.priority], ['off', false, 10]);
    assert.deepEqual([on?.id, on?.spec.priority, on?.spec.sinks], ['on', 90, ['files']]);
    const alone = checkValue(
      { id: 'cam', source, infer: { model: MODEL }, enabled: false },
      StreamSpec,
    );
    const { graphs, streams } = await compiler.stream(alone);
    assert.deepEqual([graphs, streams.length], [[], 1]);
  } finally {
    await rm(workDir, { recursive: true });
  }
});

/** No model is read: what these bodies ask for is refused before. */
const compiler = createCompiler({ modelsDir: '/nowhere', workDir: '/nowhere' });

test('a receiver refuses what needs a detector, wherever it comes from, and says what to do', async () => {
  const receiver = createCompiler({ modelsDir: '/nowhere', workDir: '/nowhere', detector: false });
  const source = { type: 'rtsp', url: 'rtsp://h/x' };
  const bare = checkValue({ id: 'cam', source }, StreamSpec);
  const asks = checkValue({ id: 'cam', source, infer: { model: MODEL }, record: {} }, StreamSpec);
  const code = 'SL_BACKEND_UNSUPPORTED';
  await assert.rejects(async () => receiver.stream(bare), {
    code,
    message: /"record" or "images"/,
  });
  await assert.rejects(async () => receiver.stream(asks), { code, message: /leave out "infer"/ });
  const pipeline = checkValue(
    { id: 'p', infer: { model: MODEL }, record: {}, streams: [{ id: 'cam', source }] },
    PipelineSpec,
  );
  for (const from of ['config', 'folder', 'api', 'fleet'] as const) {
    await assert.rejects(async () => receiver.pipeline(pipeline, from), { code });
  }
});

for (const [what, source] of [
  ['files', { type: 'file', path: '/etc/passwd' }],
  ['web addresses', { type: 'http', url: 'http://169.254.169.254/latest/meta-data' }],
] as const) {
  test(`what comes over the API opens no ${what}`, async () => {
    const spec = checkValue({ id: 'cam', source }, StreamSpec);
    await assert.rejects(async () => compiler.stream(spec), {
      code: 'SL_SPEC_INVALID',
      problems: [
        {
          pointer: '/source/type',
          message: `must be "rtsp": ${what} can only be analysed by a pipeline of the configuration`,
        },
      ],
    });
  });
}
