import { type FSWatcher, readdirSync, watch } from 'node:fs';
import { join } from 'node:path';

/** How long what happens in a folder gathers. */
const GATHER_MS = 100;

/** Tells which folders below one have new or renamed files. What it misses, a look at all of them finds later. */
export class FolderWatch {
  readonly #root: string;
  readonly #onChange: (folders: readonly string[]) => void;
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #changed = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(root: string, onChange: (folders: readonly string[]) => void) {
    this.#root = root;
    this.#onChange = onChange;
    this.#watch('', root);
    this.refresh();
  }

  /** Watches folders that are new. */
  refresh(): void {
    for (const entry of readdirSync(this.#root, { withFileTypes: true })) {
      if (entry.isDirectory()) this.#watch(entry.name, join(this.#root, entry.name));
    }
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #watch(name: string, path: string): void {
    if (this.#watchers.has(name)) return;
    try {
      const watcher = watch(path, { persistent: false }, (type, file) => {
        // Contents change all the time; names when a segment is begun or closed.
        if (type === 'rename') this.#note(name === '' ? String(file) : name);
      });
      watcher.on('error', () => this.#watchers.delete(name));
      this.#watchers.set(name, watcher);
    } catch {
      // Gone again, or the system watches no more: the look at all of them remains.
    }
  }

  #note(name: string): void {
    this.#changed.add(name);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const changed = [...this.#changed];
      this.#changed.clear();
      this.#onChange(changed);
    }, GATHER_MS);
  }
}
