import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { TestContext } from 'node:test';
import ts from 'typescript';
import { ROOT } from '../../src/common/paths.ts';

const FOLDERS = ['src/common', 'src/outbox'];

/**
 * The outbox and the child programs of its tests as JavaScript, so that a child starts in a few ms: tests that kill
 * hundreds of them need that. Returns the folder; it lies in the checkout, where the dependencies are found.
 */
export function compileOutbox(context: TestContext): string {
  const out = compileWithOutbox('test/outbox/children');
  context.after(() => rmSync(out, { recursive: true, force: true }));
  return out;
}

/** The same for the programs of any folder; the caller removes what it returns. */
export function compileWithOutbox(programs: string): string {
  const cache = join(ROOT, '.cache');
  mkdirSync(cache, { recursive: true });
  const out = mkdtempSync(join(cache, 'compiled-outbox-'));
  for (const folder of [...FOLDERS, programs]) {
    for (const name of readdirSync(join(ROOT, folder))) {
      if (name.endsWith('.ts')) compile(join(ROOT, folder, name), out);
    }
  }
  return out;
}

function compile(file: string, out: string): void {
  const { outputText } = ts.transpileModule(readFileSync(file, 'utf8'), {
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
      rewriteRelativeImportExtensions: true,
    },
  });
  const target = join(out, relative(ROOT, file).replace(/\.ts$/, '.js'));
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, outputText);
}
