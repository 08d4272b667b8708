import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { ROOT } from '../../src/common/paths.ts';
import { launchText } from '../../src/pipeline/launch-text.ts';
import { loweredText } from '../../src/pipeline/lowered-text.ts';
import { graphText } from '../../src/pipeline/text.ts';
import { deepStream, lower, PLATFORM_NAMES } from './deepstream-fixtures.ts';
import { compile, lower as lowerForCpu, PIPELINE_FILES, PIPELINES, thrown } from './fixtures.ts';

const GOLDEN = join(ROOT, 'test/golden/');
/** SIGHTLINE_GOLDEN=write rewrites the files; the difference is to be reviewed. */
const REWRITE = process.env['SIGHTLINE_GOLDEN'] === 'write';
/** Pipelines that ask for what only DeepStream does, with the places that say so. */
const GPU_ONLY: Readonly<Record<string, readonly string[]>> = {
  'multi-camera-gpu': ['/annotated'],
  triton: ['/annotated'],
};

function compare(name: string, text: string): void {
  const golden = join(GOLDEN, name);
  if (REWRITE) writeFileSync(golden, text);
  assert.equal(text, readFileSync(golden, 'utf8'));
  assert.doesNotMatch(text, /hunter2/);
}

for (const file of PIPELINE_FILES) {
  const name = file.replace(/\.yaml$/, '');
  const spec = readFileSync(join(PIPELINES, file), 'utf8');
  const unsupported = GPU_ONLY[name];
  if (unsupported === undefined) {
    test(`pipelines/${file} compiles to the recorded CPU graph`, () => {
      const lowered = lowerForCpu(spec);
      const written = lowered.files.map(({ path, text }) => `\n${path}\n${text}`).join('');
      const text = `${graphText(lowered.graphs)}\n${launchText(lowered.graphs)}\n${written}`;
      compare(`${name}.cpu.txt`, text);
    });
  } else {
    test(`pipelines/${file} is refused on the CPU`, () => {
      const { code, problems } = thrown(() => compile(spec));
      assert.equal(code, 'SL_BACKEND_UNSUPPORTED');
      assert.deepEqual(
        problems.map(({ pointer }) => pointer),
        unsupported,
      );
    });
  }
  for (const platform of PLATFORM_NAMES) {
    test(`pipelines/${file} compiles to the recorded DeepStream graphs and files on ${platform}`, () => {
      const lowered = lower(spec, deepStream(platform));
      const parts = [loweredText(lowered, 'text'), loweredText(lowered, 'launch')];
      compare(`${name}.${platform}.txt`, `${parts.join('\n')}\n`);
    });
  }
}
