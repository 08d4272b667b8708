import { open, readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { toSightlineError } from '../../common/errors.ts';
import { decodeMessage, type SightlineRecord } from '../../consumer/index.ts';
import type { FileSinkSpec } from '../../sinks/file/spec.ts';
import { readVarint } from '../../sinks/format/length-delimited.ts';
import type { Reader, ReadOptions } from './tail.ts';

const POLL_MS = 250;
const READ_BYTES = 1024 * 1024;
const LINE_FEED = 0x0a;
/** Folders of days that are looked into, of each stream. */
const NEWEST_DAYS = 2;

/** Follows the files of the sink from where they end now. Frames come from NDJSON where the sink writes it. */
export async function* followFiles(spec: FileSinkSpec, options: ReadOptions): Reader {
  const root = resolve(options.baseDir, spec.dir);
  const frames = spec.formats.includes('ndjson')
    ? /^\d+-\d+(\.events)?\.ndjson$/
    : /^\d+-\d+(\.pb|\.events\.ndjson)$/;
  const positions = new Map<string, number>();
  for (const path of await filesOf(root, frames)) positions.set(path, (await stat(path)).size);
  options.tell(`Following the files below ${root}`);
  while (!options.signal.aborted) {
    for (const path of await filesOf(root, frames)) {
      yield* newRecords(path, positions, options);
    }
    await delay(POLL_MS, undefined, { signal: options.signal }).catch(() => undefined);
  }
}

/** `<stream>/<day>/<file>`; what the sink has beside them is not for reading line by line. */
async function filesOf(root: string, pattern: RegExp): Promise<string[]> {
  const found: string[] = [];
  for (const stream of await names(root)) {
    const days = (await names(join(root, stream))).filter((day) => /^\d{4}-\d\d-\d\d$/.test(day));
    for (const day of days.sort().slice(-NEWEST_DAYS)) {
      const folder = join(root, stream, day);
      const files = (await names(folder)).filter((file) => pattern.test(file));
      found.push(...files.sort().map((file) => join(folder, file)));
    }
  }
  return found;
}

async function names(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch {
    return [];
  }
}

async function* newRecords(
  path: string,
  positions: Map<string, number>,
  { tell }: ReadOptions,
): AsyncGenerator<readonly SightlineRecord[], void, undefined> {
  const file = await open(path);
  try {
    for (;;) {
      const position = positions.get(path) ?? 0;
      const { bytesRead, buffer } = await file.read(
        Buffer.alloc(READ_BYTES),
        0,
        READ_BYTES,
        position,
      );
      const { messages, used } = cut(buffer.subarray(0, bytesRead), path.endsWith('.ndjson'));
      if (used === 0) return;
      positions.set(path, position + used);
      for (const message of messages) {
        try {
          yield decodeMessage(message);
        } catch (error) {
          tell(`${path}: ${toSightlineError(error).message}`);
        }
      }
    }
  } finally {
    await file.close();
  }
}

/** Whole messages, and how many bytes they take. */
function cut(bytes: Buffer, isLines: boolean): { messages: Buffer[]; used: number } {
  const messages: Buffer[] = [];
  let used = 0;
  for (;;) {
    const length = isLines ? undefined : readVarint(bytes, used);
    const start = isLines ? used : length?.end;
    const end = isLines
      ? bytes.indexOf(LINE_FEED, used)
      : length === undefined
        ? -1
        : length.end + length.value;
    if (start === undefined || end < 0 || end > bytes.byteLength) return { messages, used };
    if (end > start) messages.push(bytes.subarray(start, end));
    used = isLines ? end + 1 : end;
  }
}
