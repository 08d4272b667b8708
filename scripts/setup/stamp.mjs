import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { CACHE, ROOT } from './paths.mjs';

const STAMPS = join(CACHE, 'stamps');

/** All files below the given files and folders, sorted. Folders named in `except` are left out. */
export function filesUnder(paths, except = []) {
  const found = [];
  const skipped = new Set(except.map((path) => join(ROOT, path)));
  const visit = (path) => {
    if (skipped.has(path)) return;
    let entries;
    try {
      entries = readdirSync(path, { withFileTypes: true });
    } catch (error) {
      if (error.code === 'ENOTDIR') found.push(path);
      else if (error.code !== 'ENOENT') throw error;
      return;
    }
    for (const entry of entries) {
      if (entry.isDirectory()) visit(join(path, entry.name));
      else found.push(join(path, entry.name));
    }
  };
  for (const path of paths) visit(join(ROOT, path));
  return found.filter((path) => !skipped.has(path)).sort();
}

/** Hash of the content of files and of plain facts: the same inputs need no second run. */
export function hashOf({ files = [], facts = [] }) {
  const hash = createHash('sha256');
  for (const fact of facts) hash.update(`${fact}\0`);
  for (const file of files) {
    hash
      .update(`${relative(ROOT, file)}\0`)
      .update(readFileSync(file))
      .update('\0');
  }
  return hash.digest('hex');
}

/** True when the step ran to its end with these inputs and what it made is still there. */
export function isCurrent(name, hash, outputs) {
  const file = join(STAMPS, name);
  return (
    existsSync(file) &&
    readFileSync(file, 'utf8').trim() === hash &&
    outputs.every((path) => existsSync(path))
  );
}

export function writeStamp(name, hash) {
  mkdirSync(STAMPS, { recursive: true });
  writeFileSync(join(STAMPS, name), `${hash}\n`);
}

export function dropStamp(name) {
  rmSync(join(STAMPS, name), { force: true });
}
