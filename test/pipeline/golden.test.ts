import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { launchText } from '../../src/pipeline/launch-text.ts';
import { graphText } from '../../src/pipeline/text.ts';
import { lower, PIPELINES } from './fixtures.ts';

const GOLDEN = fileURLToPath(new URL('../golden/', import.meta.url));
/** SIGHTLINE_GOLDEN=write rewrites the files; the difference is to be reviewed. */
const REWRITE = process.env['SIGHTLINE_GOLDEN'] === 'write';

for (const file of readdirSync(PIPELINES).filter((name) => name.endsWith('.yaml'))) {
  const name = file.replace(/\.yaml$/, '');
  test(`pipelines/${file} compiles to the recorded CPU graph`, () => {
    const { graphs, files } = lower(readFileSync(join(PIPELINES, file), 'utf8'));
    const written = files.map(({ path, text }) => `\n${path}\n${text}`).join('');
    const text = `${graphText(graphs)}\n${launchText(graphs)}\n${written}`;
    const golden = join(GOLDEN, `${name}.cpu.txt`);
    if (REWRITE) writeFileSync(golden, text);
    assert.equal(text, readFileSync(golden, 'utf8'));
    assert.doesNotMatch(text, /hunter2/);
  });
}
