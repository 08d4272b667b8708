#!/usr/bin/env node
// `node scripts/compile-tree.mjs FOLDER` makes JavaScript of all TypeScript once, for programs that start often: the tests of
// `npm test`, and what tests and benchmarks start by the hundred. A process that compiles what it imports (tsx) takes some
// 0.3 s of processor time more, and each of its threads again. Types are checked elsewhere.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { ROOT, TYPEBOX } from './setup/paths.mjs';
import { filesUnder } from './setup/stamp.mjs';

const FOLDERS = ['src', 'test', 'scripts', 'bench'];

/** Each import stays where it is; only the ending of ours changes. Of typebox the one file is loaded that dist/ loads too. */
const asWritten = {
  name: 'as-written',
  setup(context) {
    context.onResolve({ filter: /./ }, ({ kind, path }) => {
      if (kind === 'entry-point') return undefined;
      const isTypebox = /^typebox(\/value)?$/.test(path) && existsSync(TYPEBOX);
      return { path: isTypebox ? TYPEBOX : path.replace(/^(\..*)\.ts$/, '$1.js'), external: true };
    });
  },
};

/**
 * Writes all modules of the checkout under `out`, a folder inside the checkout, in the folders they have there, and removes
 * what is older. What is there already is left alone: somebody may be running it.
 */
export async function compileTree(out) {
  const files = filesUnder(FOLDERS);
  const { outputFiles } = await build({
    entryPoints: files.filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts')),
    outbase: ROOT,
    outdir: out,
    write: false,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'es2022',
    treeShaking: false,
    keepNames: true,
    sourcemap: 'linked',
    sourcesContent: false,
    logLevel: 'warning',
    plugins: [asWritten],
  });
  const generated = files.filter((file) => /[\\/]src[\\/]gen[\\/].*\.js$/.test(file));
  const wanted = new Map([
    ...outputFiles.map(({ path, contents }) => [path, Buffer.from(contents)]),
    ...generated.map((file) => [join(out, relative(ROOT, file)), readFileSync(file)]),
  ]);
  for (const [path, content] of wanted) {
    if (existsSync(path) && readFileSync(path).equals(content)) continue;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
  for (const file of filesUnder([relative(ROOT, out)])) if (!wanted.has(file)) rmSync(file);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await compileTree(resolve(process.argv[2]));
}
