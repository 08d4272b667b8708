/** A file of groups and keys, as GLib reads it. */
export interface KeyFile {
  readonly groups: readonly KeyGroup[];
  /** Lines that are neither. */
  readonly problems: readonly { readonly line: number; readonly message: string }[];
}

export interface KeyGroup {
  readonly name: string;
  /** From 1. */
  readonly line: number;
  readonly entries: readonly KeyLine[];
}

export interface KeyLine {
  readonly key: string;
  readonly value: string;
  readonly line: number;
}

/** Reads a key file: `[group]`, `key=value`, `# comment`. A group that comes twice is one group, as in GLib. */
export function parseKeyFile(text: string): KeyFile {
  const groups = new Map<string, { name: string; line: number; entries: KeyLine[] }>();
  const problems: { line: number; message: string }[] = [];
  let current: { entries: KeyLine[] } | undefined;
  text.split('\n').forEach((raw, index) => {
    const line = index + 1;
    const content = raw.trim();
    if (content === '' || content.startsWith('#')) return;
    const name = /^\[([^[\]]+)\]$/.exec(content)?.[1];
    if (name !== undefined) {
      const group = groups.get(name) ?? { name, line, entries: [] };
      groups.set(name, group);
      current = group;
      return;
    }
    const entry = /^([^=[\]]+?)\s*=\s*(.*)$/.exec(content);
    if (entry === null) {
      problems.push({ line, message: `is neither [group] nor key=value: ${shown(content)}` });
    } else if (current === undefined) {
      problems.push({ line, message: `stands before the first [group]: ${shown(content)}` });
    } else {
      current.entries.push({ key: entry[1]!, value: entry[2]!, line });
    }
  });
  return { groups: [...groups.values()], problems };
}

/** The value of a key; of a key that is written twice the last counts. */
export function valueIn(file: KeyFile, group: string, key: string): string | undefined {
  const entries = file.groups.find(({ name }) => name === group)?.entries ?? [];
  return entries.findLast((entry) => entry.key === key)?.value;
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 60));
}
