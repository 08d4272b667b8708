import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import type { OutboxRecord } from '../../src/common/delivery.ts';
import { createLogger } from '../../src/common/logger.ts';
import { fileSource } from '../../src/recording/mp4/boxes.ts';
import { openMovie } from '../../src/recording/mp4/fragments.ts';
import { type RecordingOptions, RecordingService } from '../../src/recording/service.ts';
import type { RecordingSettings } from '../../src/recording/settings.ts';
import { FolderStore } from '../../src/recording/stores/folder.ts';
import { temporaryFolder } from '../support/server.ts';

const run = promisify(execFile);

export const FPS = 10;
export const FRAMES = 40;
export const START_MS = Date.UTC(2026, 0, 31, 13, 0, 0);
export const SESSION = '01950000-0000-7000-8000-000000000001';

/** A key frame a second, and frames in the order in which they are shown. */
const SIMPLE = { keyFrameEvery: FPS, bframes: 0 };

/** Fragmented MP4 as the worker's muxer writes it: 4 s, a fragment a second. */
export function makeMp4(folder: string, pattern = 'ball', coding = SIMPLE): Promise<Buffer> {
  return make(folder, pattern, coding, ['mp4mux', 'fragment-duration=1000']);
}

/** The same frames in Matroska. */
export function makeMatroska(folder: string, coding = SIMPLE): Promise<Buffer> {
  const muxer = ['matroskamux', 'max-cluster-duration=1000000000', 'offset-to-zero=true'];
  return make(folder, 'ball', coding, muxer);
}

async function make(
  folder: string,
  pattern: string,
  { keyFrameEvery, bframes }: typeof SIMPLE,
  muxer: readonly string[],
): Promise<Buffer> {
  const file = join(folder, `made-${muxer[0]}`);
  await run(
    'gst-launch-1.0',
    [
      ...['-q', 'videotestsrc', `pattern=${pattern}`, `num-buffers=${FRAMES}`],
      ...['!', `video/x-raw,width=160,height=120,framerate=${FPS}/1`],
      ...['!', 'x264enc', `key-int-max=${keyFrameEvery}`, `bframes=${bframes}`],
      ...['b-adapt=false', '!', 'h264parse'],
      ...['!', ...muxer, '!', 'filesink', `location=${file}`],
    ],
    { timeout: 30_000 },
  );
  return readFile(file);
}

/** How many frames GStreamer finds in a file. */
export async function framesOf(file: string): Promise<number> {
  const { stdout } = await run(
    'gst-launch-1.0',
    [
      ...['-v', 'filesrc', `location=${file}`, '!', 'matroskademux', '!', 'h264parse', '!'],
      ...['video/x-h264,stream-format=avc,alignment=au', '!'],
      ...['identity', 'silent=false', '!', 'fakesink'],
    ],
    { timeout: 30_000, maxBuffer: 1e7 },
  );
  return stdout.match(/last-message = chain/g)?.length ?? 0;
}

/** When each frame is shown that GStreamer decodes of an MP4, ms, in its order. */
export async function shownTimes(file: string): Promise<number[]> {
  const { stdout } = await run(
    'gst-launch-1.0',
    [
      ...['-v', 'filesrc', `location=${file}`, '!', 'qtdemux', '!', 'h264parse', '!', 'avdec_h264'],
      ...['output-corrupt=false', '!', 'identity', 'silent=false', '!', 'fakesink', 'sync=false'],
    ],
    { timeout: 30_000, maxBuffer: 1e7 },
  );
  return [...stdout.matchAll(/last-message = chain.*?pts: (\d+):(\d+):(\d+\.\d+)/g)].map(
    ([, hours, minutes, seconds]) =>
      Math.round((Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000),
  );
}

/** Sizes of the access units of an MP4 in its order. */
export async function unitSizes(mp4: Buffer): Promise<{ size: number; sync: boolean }[]> {
  const movie = await openMovie({
    size: mp4.length,
    read: async (start, length) => mp4.subarray(start, start + length),
  });
  const sizes: { size: number; sync: boolean }[] = [];
  for await (const { samples } of movie!.fragments()) sizes.push(...samples);
  return sizes;
}

export interface WrittenSegment {
  readonly mp4: Buffer;
  /** Written in its place. */
  readonly matroska?: Buffer;
  readonly number?: number;
  readonly session?: string;
  /** Capture time of the first frame. */
  readonly startMs?: number;
  /** It is being written, with so many bytes of it there. */
  readonly openBytes?: number;
  /** Numbers of its frames; default: FRAMES of them after the segment before. */
  readonly firstSequence?: number;
}

/** Writes a segment and its notes as the worker does. */
export async function writeSegment(dir: string, streamId: string, segment: WrittenSegment) {
  const { mp4, matroska, number = 0, session = SESSION, openBytes } = segment;
  const { startMs = START_MS + number * 4000, firstSequence = number * FRAMES } = segment;
  const folder = join(dir, streamId);
  await mkdir(folder, { recursive: true });
  const stem = join(folder, `${session}-${String(number).padStart(6, '0')}`);
  const sizes = await unitSizes(mp4);
  const notes = Buffer.alloc(32 + 32 * sizes.length);
  notes.write('SLNOTES1', 'latin1');
  notes.writeBigUInt64LE(7n, 8);
  notes.writeBigUInt64LE(BigInt(number), 16);
  notes.writeBigInt64LE(BigInt(startMs) * 1_000_000n, 24);
  for (const [index, { size, sync }] of sizes.entries()) {
    const at = 32 + 32 * index;
    const ms = (index * 1000) / FPS;
    notes.writeBigUInt64LE(BigInt(firstSequence + index), at);
    notes.writeBigUInt64LE(BigInt(ms) * 1_000_000n, at + 8);
    notes.writeBigInt64LE(BigInt(startMs + ms) * 1_000_000n, at + 16);
    notes.writeUInt32LE(size, at + 24);
    notes.writeUInt8(1, at + 28);
    notes.writeUInt8(sync ? 1 : 0, at + 29);
  }
  await writeFile(`${stem}.notes`, notes);
  const isOpen = openBytes !== undefined;
  // A closed file is complete when it gets its name.
  const suffix = matroska === undefined ? '.mp4' : '.mkv';
  await writeFile(`${stem}.making`, (matroska ?? mp4).subarray(0, openBytes));
  await rename(`${stem}.making`, `${stem}${suffix}${isOpen ? '.part' : ''}`);
  return stem;
}

export interface TestRecording {
  readonly service: RecordingService;
  readonly records: OutboxRecord[];
  readonly events: { type: string; facts: Readonly<Record<string, unknown>> }[];
  readonly dir: string;
  readonly folder: string;
  /** Ends it and opens it anew on the same folders. */
  reopen(): Promise<TestRecording>;
}

export async function openRecording(
  context: TestContext,
  more: Partial<RecordingSettings> = {},
  given?: string,
): Promise<TestRecording> {
  const folder = given ?? (await folderOf(context));
  const dir = join(folder, 'local');
  const records: OutboxRecord[] = [];
  const events: TestRecording['events'] = [];
  const options: RecordingOptions = {
    settings: {
      dir,
      catalogueFile: join(folder, 'recordings.sqlite'),
      store: new FolderStore(join(folder, 'store')),
      concurrency: 2,
      keepLocalMs: 0,
      bounds: { maxBytes: 1e12, maxAgeMs: 1e13, minFreeBytes: 0, minFreePercent: 0 },
      retention: { maxAgeMs: 1e13 },
      ...more,
    },
    storeRecords: async (batch) => void records.push(...batch),
    stream: (id) => ({ sensorId: `sensor-${id}` }),
    emit: (type, facts) => events.push({ type, facts }),
    logger: createLogger({ level: 'silent' }),
    sweepMs: 250,
  };
  const service = await RecordingService.open(options);
  service.start();
  context.after(() => service.close());
  const reopen = async () => {
    await service.close();
    return openRecording(context, more, folder);
  };
  return { service, records, events, dir, folder, reopen };
}

async function folderOf(context: TestContext): Promise<string> {
  const folder = await temporaryFolder();
  context.after(() => folder[Symbol.asyncDispose]());
  return folder.path;
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Lengths of NAL units fill the sample exactly: what lies there is an access unit. */
export function isAccessUnit(file: Buffer, offset: number, size: number): boolean {
  let at = offset;
  while (at + 4 <= offset + size) at += 4 + file.readUInt32BE(at);
  return at === offset + size;
}

export { fileSource };
