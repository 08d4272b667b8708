import { rmSync } from 'node:fs';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../../src/common/paths.ts';

// `npm test` runs JavaScript that was made once (scripts/compile-tree.mjs); by hand a test file runs through tsx. What a
// test starts runs as the test does. Modules are named by their path in the checkout: `src/worker/main.ts`.

/** Whether this runs as compiled JavaScript. */
export const IS_COMPILED = import.meta.url.endsWith('.js');
const TREE = IS_COMPILED ? join(import.meta.dirname, '..', '..') : ROOT;

/** What Node must be told before the name of a module. */
export const LOADER: readonly string[] = IS_COMPILED
  ? []
  : ['--import', import.meta.resolve('tsx')];

/** The file that Node runs for a module. */
export function moduleFile(path: string, tree = TREE): string {
  return join(tree, tree === ROOT ? path : path.replace(/\.ts$/, '.js'));
}

/** The same for an import within a text that is run. */
export function moduleUrl(path: string): string {
  return pathToFileURL(moduleFile(path)).href;
}

/** Arguments of Node that run a module. */
export function programArgs(path: string): readonly string[] {
  return [...LOADER, moduleFile(path)];
}

/**
 * Arguments of Node that run a text as a module; the program's own follow. It imports by URL. Not by `--input-type`, which
 * its threads would inherit and refuse.
 */
export function scriptArgs(text: string): readonly string[] {
  const url = `data:text/javascript,${encodeURIComponent(text)}`;
  return [...LOADER, '--eval', `import(${JSON.stringify(url)})`];
}

let compiled: Promise<string> | undefined;

/**
 * A module as JavaScript, also where this runs from source: a child starts within a few ms, and tests that kill hundreds
 * need that. What is compiled for it goes when this process ends.
 */
export async function compiledFile(path: string): Promise<string> {
  compiled ??= IS_COMPILED ? Promise.resolve(TREE) : compileTree();
  return moduleFile(path, await compiled);
}

async function compileTree(): Promise<string> {
  const { compileTree } = (await import(join(ROOT, 'scripts', 'compile-tree.mjs'))) as {
    compileTree(out: string): Promise<void>;
  };
  // In the checkout, where the dependencies are found.
  const cache = join(ROOT, '.cache');
  await mkdir(cache, { recursive: true });
  const out = await mkdtemp(join(cache, 'compiled-'));
  process.once('exit', () => rmSync(out, { recursive: true, force: true }));
  await compileTree(out);
  return out;
}
