import { createRequire } from 'node:module';
import type BetterSqlite3 from 'better-sqlite3';

const [NODE_MAJOR] = process.versions.node.split('.').map(Number);

/**
 * better-sqlite3 in the version for this Node: 13 crashes on Node 20, and 12 aborts Node 24.19 and newer when one of
 * its statements is collected (docs/adr/0009).
 */
export const Database = createRequire(import.meta.url)(
  NODE_MAJOR! >= 22 ? 'better-sqlite3' : 'better-sqlite3-node20',
) as typeof BetterSqlite3;
export type Database = BetterSqlite3.Database;
