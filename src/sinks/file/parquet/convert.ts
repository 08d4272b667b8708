import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setImmediate as yieldToLoop } from 'node:timers/promises';
import type { ParquetWriter } from 'hyparquet-writer';
import { decodeFrame, type Frame } from '../../../metadata/frame.ts';
import { syncFolders } from '../append-file.ts';
import { messagesOf } from './messages.ts';
import { PARQUET_SCHEMA, Rows } from './rows.ts';

const ROWS_PER_GROUP = 50_000;
const FRAMES_PER_TURN = 200;

export interface Conversion {
  /** Length-delimited frames; gone afterwards. */
  readonly staged: string;
  /** Written as a whole or not at all. */
  readonly target: string;
  /** Folder whose own name counts as durable. */
  readonly root: string;
}

/**
 * Makes a Parquet file of what was staged: temporary file, sync, rename, sync of the folder, and only then the staged one
 * is removed. Interrupted at any point it can be done again, with the same outcome. A frame that is staged twice is
 * written once. Returns how many frames could not be read.
 */
export async function convert({ staged, target, root }: Conversion): Promise<number> {
  const temporary = `${staged}.tmp`;
  // Loaded by who writes Parquet alone.
  const { fileWriter, ParquetWriter } = await import('hyparquet-writer');
  let damaged = 0;
  try {
    await mkdir(dirname(target), { recursive: true });
    const writer = fileWriter(temporary);
    const parquet = new ParquetWriter({ writer, schema: PARQUET_SCHEMA, createdBy: 'sightline' });
    const rows = new Rows();
    const known = new Set<string>();
    let frames = 0;
    for await (const bytes of messagesOf(staged)) {
      const frame = tryDecode(bytes);
      if (frame === undefined) damaged++;
      else if (!known.has(frame.recordId ?? '')) {
        if (frame.recordId) known.add(frame.recordId);
        rows.add(frame);
      }
      if (rows.length >= ROWS_PER_GROUP) await parquet.write(groupOf(rows));
      if (++frames % FRAMES_PER_TURN === 0) await yieldToLoop();
    }
    if (rows.length > 0) await parquet.write(groupOf(rows));
    await parquet.finish();
    await syncFile(temporary);
    await rename(temporary, target);
    await syncFolders(dirname(target), root);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await rm(staged, { force: true });
  return damaged;
}

function groupOf(rows: Rows): Parameters<ParquetWriter['write']>[0] {
  return { columnData: rows.take(), rowGroupSize: 2 * ROWS_PER_GROUP };
}

function tryDecode(bytes: Uint8Array): Frame | undefined {
  try {
    return decodeFrame(bytes);
  } catch {
    return undefined;
  }
}

async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
