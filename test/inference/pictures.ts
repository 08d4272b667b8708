import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { sightline } from '../../src/gen/frame.js';

const run = promisify(execFile);

/** JPEG pictures of a moving ball. */
export async function jpegs(count: number, width = 64, height = 48): Promise<Buffer[]> {
  const folder = await mkdtemp(join(tmpdir(), 'sightline-jpegs-'));
  try {
    const caps = `video/x-raw,width=${width},height=${height},framerate=5/1`;
    const line = `videotestsrc num-buffers=${count} pattern=ball ! ${caps} ! jpegenc ! multifilesink location=${folder}/%05d`;
    await run('gst-launch-1.0', ['-q', ...line.split(' ')], { timeout: 30_000 });
    const names = (await readdir(folder)).sort();
    return await Promise.all(names.map((name) => readFile(join(folder, name))));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export interface ImageFacts {
  readonly camera?: string;
  readonly session?: string;
  readonly sequence: number;
  readonly data: Uint8Array;
  readonly models?: readonly string[];
  readonly epoch?: number;
}

/** A record of kind image as the receiver's pipeline makes it. */
export function imageOf(facts: ImageFacts) {
  const { camera = 'cam-1', session = 's1', sequence, data, models = [], epoch = 0 } = facts;
  const atMs = Date.UTC(2026, 0, 31, 13) + sequence * 200;
  const recordId = `${camera}/${session}/${sequence}/image`;
  const payload = sightline.v1.Image.encode({
    ...{ streamId: camera, session, frameSequence: sequence, sensorId: `${camera}-sensor` },
    ptsNs: sequence * 200_000_000,
    timestamp: { seconds: Math.floor(atMs / 1000), nanos: (atMs % 1000) * 1e6 },
    ...{ captureClock: 1, contentType: 'image/jpeg', ref: `${camera}/${sequence}.jpg` },
    ...{ recordId, models: [...models], epoch, data },
  } as object as sightline.v1.IImage).finish();
  return { kind: 'image' as const, streamId: camera, recordId, atMs, payload };
}
