import { didYouMean } from '../../../common/near.ts';
import { own } from '../elements.ts';
import type { KeyFile, KeyGroup } from '../key-file.ts';
import type { FileTable, KeyEntry } from '../keys.ts';
import { keyProblem } from './key-value.ts';
import { type FileProblem, fileError, fileWarning } from './problem.ts';

type Keys = Readonly<Record<string, KeyEntry>>;

/** Groups and keys of a key file against their table: known, there, once, and with a value of the right kind. */
export function checkKeyTable(file: KeyFile, table: FileTable): FileProblem[] {
  const problems: FileProblem[] = file.problems.map(({ line, message }) =>
    fileError(message, { line }),
  );
  for (const name of table.requiredGroups) {
    if (!file.groups.some((group) => group.name === name)) {
      problems.push(fileError(`group [${name}] is missing`, { group: name }));
    }
  }
  for (const group of file.groups) {
    const keys = keysOf(table, group.name);
    if (keys === undefined) {
      const names = Object.keys(table.groups);
      const near = didYouMean(group.name, candidates(names, group.name));
      const hint = near === '' ? `; there are ${names.join(', ')}` : near;
      problems.push(
        unknown(table, `there is no group [${group.name}]${hint}`, {
          group: group.name,
          line: group.line,
        }),
      );
    } else {
      problems.push(...checkGroup(group, keys, table));
    }
  }
  return problems;
}

function unknown(table: FileTable, message: string, place: object): FileProblem {
  return table.complete ? fileError(message, place) : fileWarning(message, place);
}

function checkGroup(group: KeyGroup, keys: Keys, table: FileTable): FileProblem[] {
  const problems: FileProblem[] = [];
  const seen = new Map<string, string>();
  const open = table.openGroups?.includes(group.name) === true;
  for (const { key, value, line } of group.entries) {
    const place = { group: group.name, key, line };
    const entry = findKey(keys, key);
    if (entry === undefined && open) continue;
    if (entry === undefined) {
      const hint = didYouMean(key, candidates(Object.keys(keys), key));
      problems.push(unknown(table, `there is no key "${key}"${hint}`, place));
      continue;
    }
    const before = seen.get(key);
    if (before !== undefined) {
      const say = before === value ? fileWarning : fileError;
      problems.push(say('stands here twice: only the last counts', place));
    }
    seen.set(key, value);
    if (entry.forms !== undefined && !entry.forms.includes(table.form)) {
      problems.push(fileError(`is not read in ${table.form.toUpperCase()} files`, place));
    }
    const problem = keyProblem(entry, value);
    if (problem !== undefined) {
      problems.push(fileError(`${problem}; it is ${JSON.stringify(value.slice(0, 60))}`, place));
    }
    if (entry.meaning?.startsWith('deprecated') === true) {
      problems.push(fileWarning(`is ${entry.meaning}`, place));
    }
  }
  for (const [key, { required }] of Object.entries(keys)) {
    if (required === true && !seen.has(key)) {
      problems.push(fileError('is missing', { group: group.name, key, line: group.line }));
    }
  }
  return problems;
}

/** Keys of a group, by its name or by a pattern it fits. */
export function keysOf(table: FileTable, group: string): Keys | undefined {
  const found =
    own(table.groups, group) ??
    Object.entries(table.groups).find(([pattern]) => fitsPattern(pattern, group))?.[1];
  return typeof found === 'string' ? keysOf(table, found) : found;
}

function findKey(keys: Keys, key: string): KeyEntry | undefined {
  return own(keys, key) ?? Object.entries(keys).find(([pattern]) => fitsPattern(pattern, key))?.[1];
}

const patterns = new Map<string, RegExp | undefined>();

/** Whether a name fits a pattern of the tables: `<n>` is a number, `<label>` any name. */
function fitsPattern(pattern: string, name: string): boolean {
  if (!patterns.has(pattern)) {
    const source = pattern.replaceAll('<n>', '\\d+').replaceAll('<label>', '.+');
    patterns.set(pattern, source === pattern ? undefined : new RegExp(`^${source}$`));
  }
  return patterns.get(pattern)?.test(name) ?? false;
}

/** Names for a hint: in patterns the writer's own number stands. */
function candidates(names: readonly string[], written: string): string[] {
  const number = /\d+/.exec(written)?.[0] ?? '0';
  return names.map((name) => name.replaceAll('<n>', number));
}
