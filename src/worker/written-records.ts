import { setTimeout as delay } from 'node:timers/promises';
import type { Addon } from '../gst/load-addon.ts';

const POLL_MS = 10;

/**
 * Waits until every record that waits for its reader now is written; later ones do not count. False at the limit or when
 * nobody reads.
 */
export async function recordsWritten(addon: Addon, fd: number, limitMs: number): Promise<boolean> {
  const deadline = performance.now() + limitMs;
  const { written, pending } = addon.writerStats(fd);
  for (;;) {
    const now = addon.writerStats(fd);
    if (now.written >= written + pending) return true;
    if (now.error !== 0 || performance.now() >= deadline) return false;
    await delay(POLL_MS);
  }
}
