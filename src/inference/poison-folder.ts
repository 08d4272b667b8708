import { createHash } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Dead letters of queues that have no place of their own for them: a file with the bytes, and one with the reason. */
export class PoisonFolder {
  readonly #folder: string;
  readonly #maxBytes: number;
  /** Old ones that made room for new ones. */
  dropped = 0;

  /** @param maxBytes beyond it the oldest go */
  constructor(folder: string, maxBytes: number) {
    this.#folder = folder;
    this.#maxBytes = maxBytes;
  }

  /** Keeps one. Resolves when it is on the disk. Throws what the file system throws. */
  async keep(letter: { id: string; reason: string; at: Date; bytes: Uint8Array }): Promise<void> {
    const { id, reason, at, bytes } = letter;
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    // A message's own name is a client's text.
    const digest = createHash('sha256').update(id).digest('hex').slice(0, 16);
    const name = `${at.toISOString().replaceAll(/[-:.]/g, '')}-${digest}`;
    await this.#write(`${name}.bin`, bytes);
    await this.#write(`${name}.json`, JSON.stringify({ id, reason, at, bytes: bytes.byteLength }));
    await this.#makeRoom();
  }

  async #write(name: string, content: Uint8Array | string): Promise<void> {
    const path = join(this.#folder, name);
    await writeFile(`${path}.part`, content, { mode: 0o600, flush: true });
    await rename(`${path}.part`, path);
  }

  async #makeRoom(): Promise<void> {
    const names = (await readdir(this.#folder)).sort().reverse();
    let bytes = 0;
    for (const name of names) {
      const path = join(this.#folder, name);
      bytes += (await stat(path)).size;
      if (bytes <= this.#maxBytes) continue;
      await rm(path, { force: true });
      if (name.endsWith('.bin')) this.dropped += 1;
    }
  }
}
