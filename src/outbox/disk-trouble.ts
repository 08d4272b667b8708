import { accessSync, constants, statfsSync } from 'node:fs';
import type { DiskReason, DiskTrouble } from './protocol.ts';

const FULL = ['SQLITE_FULL', 'ENOSPC', 'EDQUOT'];
const NO_FILES = ['EMFILE', 'ENFILE', 'SQLITE_CANTOPEN'];
const READ_ONLY = ['EROFS', 'SQLITE_READONLY'];

const WORDS: Readonly<Record<DiskReason, string>> = {
  'disk-full': 'its disk is full',
  'no-inodes': 'its file system has no inodes left',
  'no-files': 'the process may open no more files',
  'read-only': 'its file system is read-only',
  'disk-error': 'its disk fails',
};

/** What a failed write says about the disk of a folder. */
export function describeTrouble(error: unknown, dir: string): DiskTrouble {
  const code = (error as { code?: string }).code ?? 'unknown';
  const reason = reasonOf(code, dir);
  return { reason, message: `${WORDS[reason]} (${code})` };
}

function reasonOf(code: string, dir: string): DiskReason {
  const isOneOf = (codes: readonly string[]): boolean => codes.some((one) => code.startsWith(one));
  if (isOneOf(FULL)) return hasNoInodes(dir) ? 'no-inodes' : 'disk-full';
  if (isOneOf(NO_FILES)) return 'no-files';
  return isOneOf(READ_ONLY) || isReadOnly(dir) ? 'read-only' : 'disk-error';
}

/** SQLite calls a write that a read-only file system refuses an I/O error like any other. */
function isReadOnly(dir: string): boolean {
  try {
    accessSync(dir, constants.W_OK);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EROFS';
  }
}

function hasNoInodes(dir: string): boolean {
  try {
    const { files, ffree, bavail } = statfsSync(dir);
    return files > 0 && ffree === 0 && bavail > 0;
  } catch {
    return false;
  }
}
