#!/usr/bin/env node
// Makes what the command line loads few files: finding and reading hundreds of small modules takes Node longer than
// everything else `sightline compile` does. Three files of dist/ are made anew:
// - vendor/typebox.js, for every compiled module that names the package (some 700 modules otherwise);
// - services/compile.js, with all it imports but what cli.js holds too (an error must stay an instance of its class);
// - cli.js, with commander.
// A fourth is for browsers: web/client.js, the client as the server gives it at /client.js.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { build } from 'esbuild';
import { ROOT, TYPEBOX } from './setup/paths.mjs';

const DIST = join(ROOT, 'dist');
const SHARED = ['errors', 'paths'].map((name) => join(ROOT, 'src', 'common', `${name}.ts`));
const IMPORT = /(\bfrom\s+)'typebox(?:\/value)?'/g;
const OPTIONS = {
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  legalComments: 'eof',
  sourcemap: false,
  // The build of yaml for browsers is made of ES modules, which a bundle can hold without Node's require.
  alias: { yaml: join(ROOT, 'node_modules', 'yaml', 'browser', 'index.js') },
};

/** Leaves the source files that `keep` picks outside a bundle, as the compiled files beside it. */
const outside = (folder, keep) => ({
  name: 'outside',
  setup(context) {
    context.onResolve({ filter: /^\..*\.ts$/ }, ({ path, resolveDir }) => {
      const file = resolve(resolveDir, path);
      if (!keep(file)) return undefined;
      const name = relative(folder, file).replace(/\.ts$/, '.js');
      return { path: name.startsWith('.') ? name : `./${name}`, external: true };
    });
  },
});

await build({
  ...OPTIONS,
  stdin: {
    contents: "export * from 'typebox';\nexport { Value } from 'typebox/value';\n",
    resolveDir: ROOT,
  },
  outfile: TYPEBOX,
});
await build({
  ...OPTIONS,
  minifySyntax: true,
  minifyWhitespace: true,
  entryPoints: [join(ROOT, 'src', 'services', 'compile.ts')],
  outfile: join(DIST, 'services', 'compile.js'),
  plugins: [outside(join(ROOT, 'src', 'services'), (file) => SHARED.includes(file))],
});
await build({
  ...OPTIONS,
  entryPoints: [join(ROOT, 'src', 'cli.ts')],
  outfile: join(DIST, 'cli.js'),
  banner: {
    js: "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);",
  },
  plugins: [outside(join(ROOT, 'src'), (file) => file !== join(ROOT, 'src', 'cli.ts'))],
});
await build({
  ...OPTIONS,
  platform: 'browser',
  target: 'es2022',
  entryPoints: [join(ROOT, 'src', 'client', 'index.ts')],
  outfile: join(DIST, 'web', 'client.js'),
});

for (const name of readdirSync(DIST, { recursive: true, encoding: 'utf8' })) {
  const file = join(DIST, name);
  if (!name.endsWith('.js') || file === TYPEBOX) continue;
  const text = readFileSync(file, 'utf8');
  const path = relative(dirname(file), TYPEBOX);
  const pointed = text.replace(
    IMPORT,
    (_, from) => `${from}'${path.startsWith('.') ? path : `./${path}`}'`,
  );
  if (pointed !== text) writeFileSync(file, pointed);
}
