import { access, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SightlineError } from '../common/errors.ts';
import type { GeneratedFile } from '../pipeline/graph.ts';

/**
 * Writes the files that elements of a pipeline will read. A file that is there is the same one (its name depends on its
 * text) and stays; a new one appears whole.
 *
 * @throws SightlineError `SL_UNAVAILABLE` when one cannot be written.
 */
export async function writeGeneratedFiles(files: readonly GeneratedFile[]): Promise<void> {
  for (const { path, text } of files) {
    if (await exists(path)) continue;
    const temporary = `${path}.${process.pid}.tmp`;
    try {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(temporary, text, { mode: 0o644 });
      await rename(temporary, path);
    } catch (cause) {
      await rm(temporary, { force: true }).catch(() => undefined);
      throw new SightlineError(
        'SL_UNAVAILABLE',
        `Cannot write ${path}, which the pipeline reads: ${(cause as Error).message}`,
        { cause },
      );
    }
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
