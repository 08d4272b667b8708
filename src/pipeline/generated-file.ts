import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { GeneratedFile } from './graph.ts';

/**
 * A file in `folder` (absolute) named `<name>-<hash of the text><extension>`: another text is another file, so that a
 * running pipeline never sees the file it reads change. Nothing is written.
 */
export function generatedFile(
  folder: string,
  name: string,
  extension: `.${string}`,
  file: Omit<GeneratedFile, 'path'>,
): GeneratedFile {
  const hash = createHash('sha256').update(file.text).digest('hex').slice(0, 16);
  return { path: join(folder, `${name}-${hash}${extension}`), ...file };
}
