import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { ROOT } from '../../src/common/paths.ts';
import { editorSchemas, specInputTypes } from '../../src/services/editor-schemas.ts';

/** SIGHTLINE_GOLDEN=write rewrites the files; the difference is to be reviewed. */
const REWRITE = process.env['SIGHTLINE_GOLDEN'] === 'write';

/** As biome lays it out, so that what is checked in passes the linter. */
function formatted(path: string, text: string): string {
  const biome = join(ROOT, 'node_modules', '.bin', 'biome');
  const args = ['format', '--stdin-file-path', join(ROOT, path)];
  return execFileSync(biome, args, { cwd: ROOT, input: text, encoding: 'utf8' });
}

function assertCurrent(path: string, current: string): void {
  if (REWRITE) writeFileSync(join(ROOT, path), current);
  assert.equal(readFileSync(join(ROOT, path), 'utf8'), current);
}

for (const [name, text] of editorSchemas()) {
  test(`configs/schemas/${name}.schema.json is current`, () => {
    assertCurrent(`configs/schemas/${name}.schema.json`, text);
  });
}

test('src/pipeline/spec-input.ts is current', () => {
  const path = 'src/pipeline/spec-input.ts';
  assertCurrent(path, formatted(path, specInputTypes()));
});
