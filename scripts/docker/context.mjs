// What `docker build .` would send: the files of the checkout that .dockerignore leaves.
import { cpSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A pattern of .dockerignore as a regular expression over paths with `/`. Matches what lies below a folder, too. */
function toRegExp(pattern) {
  const source = pattern
    .replace(/^\/|\/$/g, '')
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*\*\/|\*\*|\*|\?/g, (glob) => {
      if (glob === '**/') return '(?:.*/)?';
      if (glob === '**') return '.*';
      return glob === '*' ? '[^/]*' : '[^/]';
    });
  return new RegExp(`^${source}(?:/.*)?$`);
}

/** The last matching line decides; `!` takes a path back in. */
export function ignoreRules(text) {
  const rules = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) =>
      line.startsWith('!')
        ? { keep: true, pattern: toRegExp(line.slice(1).trim()) }
        : { keep: false, pattern: toRegExp(line) },
    );
  return (path) => rules.findLast(({ pattern }) => pattern.test(path))?.keep === false;
}

/** Paths of all files in the context, relative to `root`, sorted. */
export function contextFiles(root) {
  const text = readFileSync(join(root, '.dockerignore'), 'utf8');
  const isIgnored = ignoreRules(text);
  // A folder that is left out is not looked into unless a later line may take a file of it back.
  const prunes = !/^!/m.test(text);
  const files = [];
  const visit = (folder) => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      const ignored = isIgnored(path);
      if (entry.isDirectory()) {
        if (!(ignored && prunes)) visit(path);
      } else if (!ignored) files.push(path);
    }
  };
  visit('');
  return files.sort();
}

/** Copies the context to a folder and returns it: a build sees the files as they were when it began. */
export function snapshotContext(root, files, folder) {
  for (const file of files) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    cpSync(join(root, file), join(folder, file), { verbatimSymlinks: true });
  }
  return folder;
}
