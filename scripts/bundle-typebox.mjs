#!/usr/bin/env node
// Puts typebox into dist/ as one file. It is a package of some 700 small modules, and finding and reading each takes
// Node longer than everything else a command does: `sightline compile` starts in half the time without. Sources, tests
// and types keep importing the package; only the compiled files are pointed to the bundle.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const DIST = join(ROOT, 'dist');
const BUNDLE = join(DIST, 'vendor', 'typebox.js');
const IMPORT = /(\bfrom\s+)'typebox(?:\/value)?'/g;

await build({
  stdin: {
    contents: "export * from 'typebox';\nexport { Value } from 'typebox/value';\n",
    resolveDir: ROOT,
  },
  outfile: BUNDLE,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  legalComments: 'eof',
});

for (const name of readdirSync(DIST, { recursive: true, encoding: 'utf8' })) {
  const file = join(DIST, name);
  if (!name.endsWith('.js') || file === BUNDLE) continue;
  const text = readFileSync(file, 'utf8');
  const path = relative(dirname(file), BUNDLE);
  const pointed = text.replace(
    IMPORT,
    (_, from) => `${from}'${path.startsWith('.') ? path : `./${path}`}'`,
  );
  if (pointed !== text) writeFileSync(file, pointed);
}
