import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const START_CODE = Buffer.from([0, 0, 1]);
/** Types of NAL units (ITU-T H.264, table 7-1). */
const NAL = { slice: 1, idr: 5, delimiter: 9 } as const;

/** Real H.264, parameter sets before each key frame: a list of access units, each a list of NAL units. */
export interface H264Clip {
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly units: readonly (readonly Buffer[])[];
}

export interface ClipOptions {
  readonly width?: number;
  readonly height?: number;
  readonly fps?: number;
  readonly frames?: number;
  /** A key frame after so many; default: one a second. */
  readonly keyFrameEvery?: number;
  readonly profile?: 'baseline' | 'high';
}

/** Where `makeH264Clip` leaves the clip, for who reads files: the bare stream. */
export function clipFile(folder: string, options: ClipOptions = {}): string {
  const { width = 160, height = 120, fps = 10, profile = 'baseline' } = options;
  return join(
    folder,
    `clip-${width}x${height}-${fps}-${options.frames ?? 2 * fps}-${profile}.h264`,
  );
}

/** Encodes a moving test picture. Default: 160x120, 10 frames a second, 2 s. */
export async function makeH264Clip(folder: string, options: ClipOptions = {}): Promise<H264Clip> {
  const { width = 160, height = 120, fps = 10, profile = 'baseline' } = options;
  const { frames = 2 * fps, keyFrameEvery = fps } = options;
  const file = clipFile(folder, options);
  await run('gst-launch-1.0', [
    ...['-q', 'videotestsrc', 'pattern=ball', `num-buffers=${frames}`],
    ...['!', `video/x-raw,width=${width},height=${height},framerate=${fps}/1`],
    ...['!', 'x264enc', `key-int-max=${keyFrameEvery}`, 'bframes=0', 'aud=true'],
    ...['!', `video/x-h264,stream-format=byte-stream,alignment=au,profile=${profile}`],
    ...['!', 'filesink', `location=${file}`],
  ]);
  return { width, height, fps, units: accessUnits(await readFile(file)) };
}

function accessUnits(stream: Buffer): Buffer[][] {
  const units: Buffer[][] = [];
  for (const nal of nalUnits(stream)) {
    if (typeOf(nal) === NAL.delimiter || units.length === 0) units.push([]);
    units.at(-1)!.push(nal);
  }
  return units;
}

function nalUnits(stream: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let from = stream.indexOf(START_CODE); from >= 0; ) {
    const next = stream.indexOf(START_CODE, from + 3);
    let end = next < 0 ? stream.length : next;
    // The byte before a start code of four bytes is its own.
    while (end > from + 3 && stream[end - 1] === 0) end -= 1;
    found.push(stream.subarray(from + 3, end));
    from = next;
  }
  return found;
}

function typeOf(nal: Buffer): number {
  return nal[0]! & 0x1f;
}

/** True for the coded pictures themselves. */
export function isSlice(nal: Buffer): boolean {
  return typeOf(nal) === NAL.slice || typeOf(nal) === NAL.idr;
}
