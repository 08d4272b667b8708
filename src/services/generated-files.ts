import { basename, dirname } from 'node:path';
import { writeFileIfChanged } from '../common/files.ts';
import type { GeneratedFile } from '../pipeline/graph.ts';

/**
 * Writes what a lowered pipeline reads, before it is built. Files of the same text have the same name, so one that is
 * there already is left alone.
 * @throws SightlineError `SL_UNAVAILABLE` when one cannot be written.
 */
export async function writeGeneratedFiles(files: readonly GeneratedFile[]): Promise<void> {
  for (const { path, text } of files) {
    await writeFileIfChanged(dirname(path), basename(path), text);
  }
}
