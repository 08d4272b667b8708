import { readFile } from 'node:fs/promises';
import { SightlineError } from '../common/errors.ts';
import { readMp4 } from './mp4.ts';
import { splitByteStream, splitSample } from './nals.ts';
import { type Codec, type GroundTruth, readSei } from './sei.ts';

/** What a recorded file says of its frames. */
export interface FileTruth {
  readonly codec: Codec;
  /** In the order of the file, which is decode order. */
  readonly truths: readonly GroundTruth[];
  /** MP4 samples that carry none; 0 for a bare stream, whose samples are not told apart. */
  readonly unmarked: number;
}

const START_CODES = [Buffer.of(0, 0, 1), Buffer.of(0, 0, 0, 1)];

/** Reads an MP4 file (fragmented, plain, or cut short) or a bare H.264 or H.265 stream. Throws SL_NOT_FOUND, SL_REQUEST_INVALID. */
export async function readFileTruth(path: string): Promise<FileTruth> {
  const file = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    throw new SightlineError('SL_NOT_FOUND', `Cannot read ${path}: ${cause.code}`, { cause });
  });
  try {
    return isStream(file) ? readStream(file) : readMovie(file);
  } catch (cause) {
    const why =
      cause instanceof SightlineError ? cause.message : 'it is no MP4 file that can be read';
    throw new SightlineError('SL_REQUEST_INVALID', `${path}: ${why}`, { cause });
  }
}

function isStream(file: Buffer): boolean {
  return START_CODES.some((code) => file.subarray(0, code.length).equals(code));
}

function readMovie(file: Buffer): FileTruth {
  const { codec, lengthSize, samples } = readMp4(file);
  const perSample = samples.map((sample) => {
    for (const nal of splitSample(sample, lengthSize)) {
      const truth = readSei(nal, codec);
      if (truth !== undefined) return truth;
    }
    return undefined;
  });
  const truths = perSample.filter((truth) => truth !== undefined);
  return { codec, truths, unmarked: samples.length - truths.length };
}

/** A bare stream does not name its codec: it is the one whose messages are found. */
function readStream(file: Buffer): FileTruth {
  const nals = [...splitByteStream(file)];
  const [h264, h265] = (['h264', 'h265'] as const).map((codec) =>
    nals.map((nal) => readSei(nal, codec)).filter((truth) => truth !== undefined),
  ) as [GroundTruth[], GroundTruth[]];
  return h265.length > h264.length
    ? { codec: 'h265', truths: h265, unmarked: 0 }
    : { codec: 'h264', truths: h264, unmarked: 0 };
}
