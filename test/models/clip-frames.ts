import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PATHS } from '../../src/common/paths.ts';

/**
 * Real pictures: one a second of the demo clip, scaled to the network's input, as RGB bytes in rows.
 * The clip lies where the set-up puts it.
 */
export async function readClipFrames(
  count: number,
  size: { readonly width: number; readonly height: number },
): Promise<Uint8Array[]> {
  const folder = await mkdtemp(join(tmpdir(), 'sightline-frames-'));
  try {
    const caps = `video/x-raw,format=RGB,width=${size.width},height=${size.height},pixel-aspect-ratio=1/1`;
    await promisify(execFile)(
      'gst-launch-1.0',
      [
        ...['-q', 'filesrc', `location=${PATHS.demoClip}`, '!', 'decodebin', '!', 'videorate'],
        ...['!', 'video/x-raw,framerate=1/1', '!', 'identity', `eos-after=${count + 1}`],
        ...['!', 'videoscale', 'add-borders=false', '!', 'videoconvert', '!', caps],
        ...['!', 'multifilesink', `location=${join(folder, '%04d.rgb')}`],
      ],
      { timeout: 60_000 },
    );
    const files = (await readdir(folder)).sort().slice(0, count);
    return await Promise.all(files.map((file) => readFile(join(folder, file))));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
