import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { IncidentView } from '../types.ts';

/** Newest part of a longer text. */
const MAX_FILE_CHARACTERS = 1024 * 1024;
const SAFE_ID = /^[a-z0-9][a-z0-9_-]{0,62}$/;
export const HEAD_FILE = 'incident.json';

/** The texts of an incident, by file name. */
export type IncidentTexts = Readonly<Record<string, string>>;

/** Incidents on disk: `<folder>/<pipeline>/<n>/`, for the owner's eyes alone. Knows no bounds. */
export class IncidentFiles {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** What is there, oldest first in each pipeline. What was half written is removed. */
  load(): ReadonlyMap<string, IncidentView[]> {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const found = new Map<string, IncidentView[]>();
    for (const pipelineId of readdirSync(this.#folder)) {
      if (!SAFE_ID.test(pipelineId)) continue;
      const folder = join(this.#folder, pipelineId);
      const names = readdirSync(folder);
      for (const half of names.filter((name) => name.startsWith('.'))) {
        rmSync(join(folder, half), { recursive: true, force: true });
      }
      const views = names
        .filter((name) => /^\d+$/.test(name))
        .flatMap((n) => this.#head(folder, n));
      views.sort((a, b) => a.n - b.n);
      found.set(pipelineId, views);
    }
    return found;
  }

  /** The first number that was never used. */
  nextNumber(pipelineId: string): number {
    try {
      return Number(readFileSync(join(this.#folder, pipelineId, 'next'), 'utf8')) || 1;
    } catch {
      return 1;
    }
  }

  /** Writes all of it or nothing. The view gets its files here. */
  async write(head: Omit<IncidentView, 'files'>, texts: IncidentTexts): Promise<IncidentView> {
    const { pipelineId, n } = head;
    if (!SAFE_ID.test(pipelineId)) throw new Error('Not the id of a pipeline');
    const folder = join(this.#folder, pipelineId);
    const half = join(folder, `.${n}`);
    await mkdir(half, { recursive: true, mode: 0o700 });
    const contents = Object.entries(texts).map(
      ([name, text]) => [name, Buffer.from(newestPart(text))] as const,
    );
    const files = contents.map(([name, bytes]) => ({ name, bytes: bytes.length }));
    const view: IncidentView = { ...head, files };
    for (const [name, bytes] of contents) await writeFile(join(half, name), bytes, { mode: 0o600 });
    await writeFile(join(half, HEAD_FILE), JSON.stringify(view, null, 2), { mode: 0o600 });
    await writeFile(join(folder, 'next'), String(n + 1), { mode: 0o600 });
    await rename(half, join(folder, String(n)));
    return view;
  }

  async remove({ pipelineId, n }: IncidentView): Promise<void> {
    await rm(join(this.#folder, pipelineId, String(n)), { recursive: true, force: true });
  }

  /** Path of a file that the view names. */
  path({ pipelineId, n }: IncidentView, name: string): string {
    return join(this.#folder, pipelineId, String(n), name);
  }

  #head(folder: string, n: string): readonly IncidentView[] {
    try {
      return [JSON.parse(readFileSync(join(folder, n, HEAD_FILE), 'utf8')) as IncidentView];
    } catch {
      return [];
    }
  }
}

function newestPart(text: string): string {
  return text.length <= MAX_FILE_CHARACTERS
    ? text
    : `(the beginning is left out)\n${text.slice(-MAX_FILE_CHARACTERS)}`;
}
