import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { ROOT } from '../../src/common/paths.ts';
import { validateFile } from '../../src/pipeline/commands.ts';
import { definePipeline, defineStream } from '../../src/pipeline/define.ts';
import { IS_COMPILED } from '../support/programs.ts';
import { MODEL, MODELS, thrown } from './fixtures.ts';

// Pipelines in TypeScript are run: as with `node --import tsx`, since Node 20 by itself runs none.
if (IS_COMPILED) await import(import.meta.resolve('tsx'));

const source = { type: 'rtsp', url: 'rtsp://h/x' } as const;

test('a spec in TypeScript is checked, complete and frozen', () => {
  const infer = { model: MODEL.name };
  const spec = definePipeline({ id: 'p', infer, streams: [{ id: 'cam', source }] });
  assert.equal(spec.infer?.interval, 0);
  assert.deepEqual(spec.streams[0]?.source, { ...source, transport: 'tcp', latencyMs: 200 });
  assert.ok(Object.isFrozen(spec.streams[0]?.source));
  assert.ok(!Object.isFrozen(infer), 'what was given is left alone');
  assert.equal(defineStream({ id: 'cam', source, enabled: false }).enabled, false);
});

test('what is wrong in a spec does not compile, and is refused where types are not looked at', () => {
  const streams = [{ id: 'cam', source }];
  for (const wrong of [
    // @ts-expect-error: there is no such key
    () => definePipeline({ id: 'p', streams, inferr: { model: 'm' } }),
    // @ts-expect-error: a model is needed
    () => definePipeline({ id: 'p', streams, infer: { interval: 1 } }),
    // @ts-expect-error: not one of the words
    () => definePipeline({ id: 'p', streams, latency: { budgetMs: 50, drop: 'all' } }),
    // @ts-expect-error: no such source
    () => defineStream({ id: 'cam', source: { type: 'ftp', url: 'ftp://h/x' } }),
    // @ts-expect-error: a pipeline has streams
    () => definePipeline({ id: 'p' }),
  ]) {
    assert.equal(thrown(wrong).code, 'SL_SPEC_INVALID');
  }
});

test('the command line runs a module and checks what it exports', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sightline-code-'));
  const said: string[] = [];
  const validate = (file: string) =>
    validateFile(file, {
      models: MODELS,
      print: (line) => said.push(line),
      printError: (line) => said.push(line),
    });
  const write = async (name: string, text: string) => {
    await writeFile(join(folder, name), text);
    return join(folder, name);
  };
  const spec = `{ id: 'p', infer: { model: '${MODEL.name}' }, streams: [{ id: 'cam', source: ${JSON.stringify(source)} }] }`;
  try {
    await write('package.json', '{ "type": "module" }');
    assert.equal(await validate(await write('good.mjs', `export default ${spec};`)), 0);
    assert.equal(await validate(await write('typed.ts', `export default ${spec} as unknown;`)), 0);
    said.length = 0;
    const wrong = `export default { ...${spec}, priority: 'high' };`;
    assert.equal(await validate(await write('wrong.mjs', wrong)), 1);
    assert.match(said.join('\n'), /wrong\.mjs: \/priority: /);
    said.length = 0;
    assert.equal(await validate(await write('none.mjs', 'export const a = 1;')), 1);
    assert.match(said.join('\n'), /none\.mjs: it has no default export/);
    said.length = 0;
    assert.equal(await validate(await write('throws.mjs', "throw new Error('not today');")), 1);
    assert.match(said.join('\n'), /throws\.mjs: not today/);
    said.length = 0;
    // In a folder of its own: Node reads each package.json once.
    await mkdir(join(folder, 'old'));
    await write('old/package.json', '{ "type": "commonjs" }');
    const old = `await 1;\nexport default ${spec};`;
    assert.equal(await validate(await write('old/old.js', old)), 1);
    assert.match(said.join('\n'), /old\.js: it is taken for CommonJS.* name it .*old\.mjs/);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('the example validates', async () => {
  const file = join(ROOT, 'pipelines', 'examples', 'yard.ts');
  const errors: string[] = [];
  const printError = (line: string) => errors.push(line);
  const code = await validateFile(file, { models: MODELS, print: () => undefined, printError });
  assert.deepEqual([code, errors], [0, []]);
});
