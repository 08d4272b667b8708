import { crc32 } from 'node:zlib';
import type Database from 'better-sqlite3';
import { type BlobFile, type BlobPlace, BlobSpool } from './blobs.ts';
import { type Cipher, SEALED } from './cipher.ts';
import type { NewBlob, NewChunk } from './protocol.ts';

interface BlobRow extends BlobPlace {
  readonly seq: number;
  readonly checksum: number;
}

/** A file of the spool, and what the journal is to say of it. */
export interface StoredBlobs extends BlobFile {
  readonly rows: readonly BlobRow[];
}

/** Payloads too big for a chunk: bytes in the spool, rows in the journal. A row never speaks of what is not there. */
export class BlobStore {
  readonly #spool: BlobSpool;
  readonly #cipher: Cipher;
  readonly #insert: Database.Statement;
  readonly #row: Database.Statement;
  readonly #isKnown: Database.Statement;

  constructor(dir: string, database: Database.Database, cipher: Cipher) {
    this.#spool = new BlobSpool(dir);
    this.#cipher = cipher;
    this.#insert = database.prepare(
      'INSERT INTO blob (seq, checksum, file, at, bytes) VALUES (?, ?, ?, ?, ?)',
    );
    this.#row = database.prepare('SELECT * FROM blob WHERE seq = ?');
    this.#isKnown = database.prepare('SELECT 1 FROM blob WHERE seq = ? AND file = seq');
  }

  /** The blobs of each chunk into a file, all or none; durable on return. Their rows come with `insert`. */
  write(chunks: readonly NewChunk[]): StoredBlobs[] {
    const files = chunks
      .filter(({ blobs }) => blobs.length > 0)
      .map(({ blobs }) => this.#seal(blobs));
    this.#spool.write(files);
    return files;
  }

  /** Runs inside the caller's transaction. */
  insert(files: readonly StoredBlobs[]): void {
    for (const { rows } of files) {
      for (const { seq, checksum, file, at, bytes } of rows) {
        this.#insert.run(seq, checksum, file, at, bytes);
      }
    }
  }

  /** In the order of `seqs`; undefined for one that is gone or damaged. Their buffers can change hands. */
  read(seqs: readonly number[]): (Uint8Array | undefined)[] {
    const rows = seqs.map((seq) => this.#row.get(seq) as BlobRow | undefined);
    const found = this.#spool.read(rows.filter((row) => row !== undefined));
    let next = 0;
    return rows.map((row) => {
      const data = row === undefined ? undefined : found[next++];
      return row && data && this.#open(row, data);
    });
  }

  remove(files: readonly number[]): void {
    this.#spool.remove(files);
  }

  /** Deletes every file no row speaks of. Returns how many. */
  sweep(): number {
    return this.#spool.sweep(
      (file) => Number.isInteger(file) && this.#isKnown.get(file) !== undefined,
    );
  }

  #seal(blobs: readonly NewBlob[]): StoredBlobs {
    const file = blobs[0]!.seq;
    const rows: BlobRow[] = [];
    let at = 0;
    const parts = blobs.map(({ seq, data }) => {
      const sealed = this.#cipher.seal(data, `blob ${seq}`);
      const part = sealed ?? data;
      const checksum = sealed === undefined ? crc32(data) : SEALED;
      rows.push({ seq, checksum, file, at, bytes: part.byteLength });
      at += part.byteLength;
      return part;
    });
    return { file, parts, rows };
  }

  #open({ seq, checksum }: BlobRow, data: Uint8Array): Uint8Array | undefined {
    if (checksum === SEALED) return this.#cipher.open(data, `blob ${seq}`);
    return checksum === crc32(data) ? data : undefined;
  }
}
