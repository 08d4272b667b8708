import { open, readdir, rename, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import type { OutboxRecord } from '../common/delivery.ts';
import { toSightlineError } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { NOTES_SUFFIX, OPEN_SUFFIX, readNotes } from '../common/segments.ts';
import { syncFolders } from '../sinks/file/append-file.ts';
import type { Catalogue, SegmentRow } from './catalogue.ts';
import type { RecordingCounts } from './counts.ts';
import { parseSegmentName, type SegmentName, segmentKey } from './names.ts';
import { type ReadSegment, readSegment } from './read-segment.ts';
import { segmentRecord } from './segment-record.ts';
import type { EmitRecordingEvent, RecordedStream } from './settings.ts';

const NOTES_HEAD_BYTES = 64;
/** An open file that does not grow for so long, and after which another session began, has lost its writer. */
const ORPHAN_MS = 30_000;

export interface IntakeOptions {
  /** Absolute. */
  readonly dir: string;
  readonly catalogue: Catalogue;
  readonly counts: RecordingCounts;
  readonly stream: (id: string) => RecordedStream | undefined;
  /** Resolves when the records are durable. */
  readonly store: (records: readonly OutboxRecord[]) => Promise<void>;
  readonly emit: EmitRecordingEvent;
  readonly logger: Logger;
}

/** Takes what workers write into the catalogue, and tells the sinks of it: each closed segment becomes one record. */
export class Intake {
  readonly #options: IntakeOptions;
  /** Files that are done with: their name is looked at and passed over. By stream. */
  readonly #known = new Map<string, Set<string>>();
  /** Sizes of open files and since when they have them; monotonic. */
  readonly #sizes = new Map<string, { readonly bytes: number; readonly sinceMs: number }>();

  /** Open files of a former run, as `<streamId>/<file>`. */
  #left: ReadonlySet<string> = new Set();

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** Call it before any worker runs: what is open now has lost its writer. */
  async noteLeft(): Promise<void> {
    const { dir } = this.#options;
    const names = await readdir(dir, { recursive: true });
    this.#left = new Set(names.filter((name) => name.endsWith(OPEN_SUFFIX)));
  }

  /** Of a row, absolute. */
  pathOf({ streamId, session, number, container }: SegmentRow): string {
    const digits = String(number).padStart(6, '0');
    const suffix = container === 'mp4' ? '.mp4' : '.mkv';
    return join(this.#options.dir, streamId, `${session}-${digits}${suffix}`);
  }

  /** Bytes of files that are being written, as of the last scan. */
  get openBytes(): number {
    let sum = 0;
    for (const { bytes } of this.#sizes.values()) sum += bytes;
    return sum;
  }

  /** Looks at every stream's folder. */
  async scanAll(signal: AbortSignal): Promise<void> {
    const entries = await readdir(this.#options.dir, { withFileTypes: true });
    for (const entry of entries) {
      if (signal.aborted) return;
      if (entry.isDirectory()) await this.scan(entry.name, signal);
    }
    await this.#tellAgain(signal);
  }

  /** One stream's folder, oldest first. What fails is tried again with the next scan. */
  async scan(streamId: string, signal: AbortSignal): Promise<void> {
    const folder = join(this.#options.dir, streamId);
    const known = this.#knownOf(streamId);
    const files = (await readdir(folder).catch(() => [])).sort();
    for (const file of files) {
      const name = known.has(file) ? undefined : parseSegmentName(file);
      if (name === undefined) continue;
      if (signal.aborted) return;
      try {
        if (!name.isOpen) await this.#take(streamId, folder, file, name, true);
        else await this.#look(streamId, folder, file, name, lastSession(files));
      } catch (thrown) {
        const { code, message: reason } = toSightlineError(thrown);
        this.#options.logger.warn({ streamId, file, code, reason }, 'recording.unreadable');
      }
    }
    const present = new Set(files);
    for (const file of known) if (!present.has(file)) known.delete(file);
    for (const path of this.#sizes.keys()) {
      const [of, file] = path.split('/') as [string, string];
      if (of === streamId && !present.has(file)) this.#sizes.delete(path);
    }
  }

  /** The files of a row are gone from the disk. */
  forgetFile(row: SegmentRow): void {
    this.#known.get(row.streamId)?.delete(this.pathOf(row).split('/').at(-1)!);
  }

  #knownOf(streamId: string): Set<string> {
    let known = this.#known.get(streamId);
    if (known === undefined) {
      known = new Set();
      this.#known.set(streamId, known);
    }
    return known;
  }

  /** A file that is being written, or was when its writer died. */
  async #look(
    streamId: string,
    folder: string,
    file: string,
    name: SegmentName,
    newest: string,
  ): Promise<void> {
    const { catalogue, stream } = this.#options;
    const { size } = await stat(join(folder, file));
    const path = `${streamId}/${file}`;
    const now = performance.now();
    const seen = this.#sizes.get(path);
    if (seen?.bytes !== size) this.#sizes.set(path, { bytes: size, sinceMs: now });
    const isStill = seen?.bytes === size && now - seen.sinceMs > ORPHAN_MS;
    if (
      this.#left.has(path) ||
      (isStill && (name.session < newest || stream(streamId) === undefined))
    ) {
      await this.#take(streamId, folder, file, name, false);
    } else if (catalogue.byName(streamId, name.session, name.number) === undefined) {
      const startMs = await openedMs(join(folder, name.stem + NOTES_SUFFIX));
      if (startMs !== undefined) catalogue.add({ streamId, ...name }, startMs);
    }
  }

  /** Reads a file that nobody writes any more, cuts off what is torn, and puts it into the catalogue. */
  async #take(
    streamId: string,
    folder: string,
    file: string,
    name: SegmentName,
    whole: boolean,
  ): Promise<void> {
    const { catalogue, counts, emit } = this.#options;
    const { session, number, container } = name;
    const before = catalogue.byName(streamId, session, number);
    if (before !== undefined && before.state !== 'open') {
      this.#knownOf(streamId).add(file);
      return;
    }
    const finalFile = whole ? file : file.slice(0, -OPEN_SUFFIX.length);
    const path = join(folder, file);
    const notesPath = join(folder, name.stem + NOTES_SUFFIX);
    const read = await readSegment({ path, notesPath, container, isWhole: whole });
    const row =
      before ??
      catalogue.add(
        { streamId, session, number, container },
        (await openedMs(notesPath)) ?? Date.now(),
      );
    if (read === undefined) {
      await this.#loseFile(row, path, notesPath);
      return;
    }
    await makeDurable(path, whole ? undefined : read.bytes);
    if (!whole) await rename(path, join(folder, finalFile));
    await syncFolders(folder, folder);
    const key = this.#freeKey(row, segmentKey(streamId, session, read.startMs, container));
    catalogue.close(row.id, { ...factsOf(read), key, whole });
    const counted = counts.of(streamId);
    counted.segments += 1;
    counted.bytes += read.bytes;
    counted.frames += read.frames.length;
    counted.framesMissing += read.missing;
    counted.framesLost += read.lost;
    counted.gaps += read.gaps.length;
    this.#knownOf(streamId).add(finalFile);
    this.#tellOdd(row, read, whole);
    if (!whole)
      emit('recording.repaired', {
        streamId,
        key,
        frames: read.frames.length,
        framesLost: read.lost,
      });
    await this.#tell(row.id, read);
  }

  /** Two segments of a session that claim the same start (a camera whose clock stands still) get names of their own. */
  #freeKey(row: SegmentRow, key: string): string {
    const taken = this.#options.catalogue.byKey(key);
    return taken === undefined || taken.id === row.id
      ? key
      : key.replace(/(\.\w+)$/, `-${row.number}$1`);
  }

  async #loseFile(row: SegmentRow, path: string, notesPath: string): Promise<void> {
    const { catalogue, counts, emit, logger } = this.#options;
    const { streamId, session, number } = row;
    const notes = await notesIn(notesPath);
    const frames = notes?.frames.length ?? 0;
    catalogue.setLost(row.id, frames);
    const counted = counts.of(streamId);
    counted.lost += 1;
    counted.framesLost += frames;
    logger.warn({ streamId, session, number, frames }, 'recording.lost');
    emit('recording.lost', { streamId, session, number, frames });
    await rm(path, { force: true });
    await rm(notesPath, { force: true });
  }

  #tellOdd({ streamId }: SegmentRow, read: ReadSegment, whole: boolean): void {
    const { missing, lost, mismatched } = read;
    if (mismatched === 0 && missing === 0 && (lost === 0 || !whole)) return;
    this.#options.logger.warn({ streamId, missing, lost, mismatched }, 'recording.incomplete');
  }

  async #tell(id: number, read: ReadSegment): Promise<void> {
    const { catalogue, stream, store } = this.#options;
    const row = catalogue.byId(id)!;
    const { streamId, session, container, whole } = row;
    const { sensorId = streamId, sinks } = stream(streamId) ?? {};
    const facts = { streamId, session, sensorId, key: row.key!, container, whole };
    await store([segmentRecord(read, sinks === undefined ? facts : { ...facts, sinks })]);
    catalogue.setTold(id);
  }

  /** Segments whose record did not reach the outbox: the last process died, or its disk was full. */
  async #tellAgain(signal: AbortSignal): Promise<void> {
    const { catalogue, logger } = this.#options;
    for (const row of catalogue.untold()) {
      if (signal.aborted) return;
      try {
        const { container, whole: isWhole } = row;
        const path = this.pathOf(row);
        const read = await readSegment({
          path,
          notesPath: this.#notesPathOf(row),
          container,
          isWhole,
        });
        if (read !== undefined) await this.#tell(row.id, read);
      } catch (thrown) {
        const { code, message: reason } = toSightlineError(thrown);
        logger.warn({ streamId: row.streamId, key: row.key, code, reason }, 'recording.untold');
      }
    }
  }

  #notesPathOf(row: SegmentRow): string {
    return this.pathOf(row).replace(/\.\w+$/, NOTES_SUFFIX);
  }
}

/** Sessions are UUIDs of version 7: they sort by the time they began. */
function lastSession(files: readonly string[]): string {
  return files.reduce((last, file) => {
    const session = parseSegmentName(file)?.session ?? '';
    return session > last ? session : last;
  }, '');
}

function factsOf(read: ReadSegment) {
  const { startMs, endMs, bytes, missing, lost, sha256, codec, initBytes, fragments, gaps } = read;
  const [first, last] = [read.frames[0]!, read.frames.at(-1)!];
  return {
    ...{ startMs, endMs, bytes, missing, lost, sha256, codec, initBytes, fragments, gaps },
    frames: read.frames.length,
    firstSequence: Number(first.frameSequence),
    lastSequence: Number(last.frameSequence),
    frameMs: read.frameMs,
  };
}

/** @param bytes cut to so many; undefined: as it is */
async function makeDurable(path: string, bytes: number | undefined): Promise<void> {
  if (bytes !== undefined) await truncate(path, bytes);
  const handle = await open(path, 'r+');
  try {
    await handle.datasync();
  } finally {
    await handle.close();
  }
}

async function notesIn(path: string) {
  const handle = await open(path, 'r').catch(() => undefined);
  if (handle === undefined) return undefined;
  try {
    return readNotes(await handle.readFile());
  } finally {
    await handle.close();
  }
}

/** Capture time of the first frame of an open segment, ms; undefined before it has one. */
async function openedMs(notesPath: string): Promise<number | undefined> {
  const handle = await open(notesPath, 'r').catch(() => undefined);
  if (handle === undefined) return undefined;
  try {
    const { buffer, bytesRead } = await handle.read(
      Buffer.alloc(NOTES_HEAD_BYTES),
      0,
      NOTES_HEAD_BYTES,
      0,
    );
    const first = readNotes(buffer.subarray(0, bytesRead))?.frames[0];
    return first === undefined ? undefined : Number(first.captureNs / 1_000_000n);
  } finally {
    await handle.close();
  }
}
