import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setImmediate as yieldToLoop } from 'node:timers/promises';
import type { ParquetWriter } from 'hyparquet-writer';
import { type AnyTable, schemaOf } from '../../tables/table.ts';
import { syncFolders } from '../append-file.ts';
import { messagesOf } from './messages.ts';
import { Rows } from './rows.ts';

const ROWS_PER_GROUP = 50_000;
const TURN_MS = 5;

export interface Conversion {
  readonly table: AnyTable;
  /** Its messages, length-delimited; gone afterwards. */
  readonly staged: string;
  /** Written as a whole or not at all. */
  readonly target: string;
  /** Folder whose own name counts as durable. */
  readonly root: string;
}

/**
 * Makes a Parquet file of what was staged: temporary file, sync, rename, sync of the folder, and only then the staged one
 * is removed. Interrupted at any point it can be done again, with the same outcome. A message that is staged twice is
 * written once. Returns how many could not be read.
 */
export async function convert({ table, staged, target, root }: Conversion): Promise<number> {
  const temporary = `${staged}.tmp`;
  // Loaded by who writes Parquet alone.
  const { fileWriter, ParquetWriter } = await import('hyparquet-writer');
  let damaged = 0;
  try {
    await mkdir(dirname(target), { recursive: true });
    const writer = fileWriter(temporary);
    const schema = schemaOf(table);
    const parquet = new ParquetWriter({ writer, schema, createdBy: 'sightline' });
    const rows = new Rows(table);
    const known = new Set<string>();
    let turnStarted = performance.now();
    for await (const bytes of messagesOf(staged)) {
      const message = tryDecode(table, bytes);
      if (message === undefined) damaged++;
      else {
        const id = table.idOf(message);
        if (!known.has(id)) rows.add(message);
        if (id !== '') known.add(id);
      }
      if (rows.length >= ROWS_PER_GROUP) await parquet.write(groupOf(rows));
      if (performance.now() - turnStarted < TURN_MS) continue;
      await yieldToLoop();
      turnStarted = performance.now();
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

function tryDecode(table: AnyTable, bytes: Uint8Array): unknown {
  try {
    return table.decode(bytes);
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
