import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FrameJson } from '../../src/metadata/frame.ts';

/** Every frame the file sink wrote below the folder, in the order of the files. */
export async function readFrames(folder: string): Promise<FrameJson[]> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const frames: FrameJson[] = [];
  for (const name of names.filter(isOfFrames).sort()) {
    const text = await readFile(join(folder, name), 'utf8');
    for (const line of text.split('\n')) {
      if (line !== '') frames.push(JSON.parse(line) as FrameJson);
    }
  }
  return frames;
}

function isOfFrames(file: string): boolean {
  return file.endsWith('.ndjson') && !file.endsWith('.events.ndjson');
}

/**
 * Frame numbers that are neither delivered nor accounted for as skipped, per session: what was lost on the way. The end
 * of a session cannot be checked: frames that were never accepted leave no trace.
 */
export function missingFrames(frames: readonly FrameJson[]): string[] {
  const sessions = new Map<string, FrameJson[]>();
  for (const frame of frames) {
    sessions.set(frame.session, [...(sessions.get(frame.session) ?? []), frame]);
  }
  const missing: string[] = [];
  for (const [session, members] of sessions) {
    const bySequence = new Map(members.map((frame) => [Number(frame.frameSequence), frame]));
    const ordered = [...bySequence.keys()].sort((a, b) => a - b);
    let expected = 0;
    for (const sequence of ordered) {
      const skipped = Number(bySequence.get(sequence)!.framesSkipped);
      for (let lost = expected; lost < sequence - skipped; lost += 1)
        missing.push(`${session}/${lost}`);
      expected = sequence + 1;
    }
  }
  return missing;
}
