import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, link, mkdir, readFile, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { SightlineError } from './errors.ts';

/**
 * Puts a file in place in one step: readers see the old one or all of the new one, also when the process dies.
 * Folders are created. What `write` leaves behind when it fails is removed.
 * @param write fills the file at the path it is given.
 * @throws SightlineError `SL_UNAVAILABLE` when the file cannot be written; what `write` throws of ours as it is.
 */
export async function replaceFile(
  file: string,
  write: (partial: string) => Promise<void>,
): Promise<void> {
  const extension = file.slice(file.lastIndexOf('.'));
  const partial = `${file.slice(0, -extension.length)}.${randomUUID()}${extension}.tmp`;
  try {
    await mkdir(resolve(file, '..'), { recursive: true });
    await write(partial);
    await rename(partial, file);
  } catch (cause) {
    if (cause instanceof SightlineError) throw cause;
    throw new SightlineError(
      'SL_UNAVAILABLE',
      `Cannot write ${file}: ${(cause as Error).message}; check the folder's rights and free space`,
      { cause },
    );
  } finally {
    await rm(partial, { force: true }).catch(() => undefined);
  }
}

/** Puts a file at `target` as a hard link of `source`, or as a copy where that is on another file system. */
export async function linkOrCopy(source: string, target: string): Promise<void> {
  await unlink(target).catch(() => undefined);
  try {
    await link(source, target);
  } catch {
    await replaceFile(target, (partial) => copyFile(source, partial, constants.COPYFILE_FICLONE));
  }
}

/** Writes a text file unless it holds this text already, and returns its absolute path. */
export async function writeFileIfChanged(
  directory: string,
  name: string,
  text: string,
): Promise<string> {
  const file = resolve(join(directory, name));
  const current = await readFile(file, 'utf8').catch(() => undefined);
  if (current !== text) await replaceFile(file, (partial) => writeFile(partial, text));
  return file;
}
