import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../../src/common/paths.ts';

test('nothing that was built loads a source file', () => {
  const dist = join(ROOT, 'dist');
  const files = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.js'),
  );
  assert.ok(files.length > 100, `${files.length} files: is it built?`);
  // TypeScript leaves `import()` as it is in functions that have `await using` (6.0.3).
  const loads = /\bimport\(\s*['"]\.[^'"]*\.ts['"]|\bfrom\s+['"]\.[^'"]*\.ts['"]/;
  const wrong = files.filter((name) => loads.test(readFileSync(join(dist, name), 'utf8')));
  assert.deepEqual(wrong, []);
});
