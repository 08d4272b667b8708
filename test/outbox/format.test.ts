import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import { writeRecord } from '../../src/common/record-bytes.ts';
import { Database } from '../../src/common/sqlite.ts';
import { metricsOf } from '../support/outbox-metrics.ts';
import {
  ALL,
  ackAll,
  assertConserved,
  idsOf,
  openOutbox,
  record,
  temporaryDir,
  until,
} from './helpers.ts';

// Journals as versions 1 and 2 of the format wrote them.

const VERSION_1 = `
  CREATE TABLE chunk (first_seq INTEGER PRIMARY KEY, kind INTEGER NOT NULL, count INTEGER NOT NULL,
    bytes INTEGER NOT NULL, stored_ms INTEGER NOT NULL, checksum INTEGER NOT NULL, data BLOB NOT NULL);
  CREATE INDEX chunk_by_kind ON chunk (kind, first_seq, count, bytes, stored_ms);
  CREATE TABLE blob (seq INTEGER PRIMARY KEY, checksum INTEGER NOT NULL);
  CREATE TABLE lane (sink TEXT NOT NULL, kind INTEGER NOT NULL, cursor INTEGER NOT NULL,
    accepted INTEGER NOT NULL, delivered INTEGER NOT NULL, dead_lettered INTEGER NOT NULL,
    shed TEXT NOT NULL, ahead TEXT NOT NULL, orphaned INTEGER NOT NULL, PRIMARY KEY (sink, kind)) WITHOUT ROWID;
  CREATE TABLE dead_letter (id INTEGER PRIMARY KEY, sink TEXT NOT NULL, seq INTEGER NOT NULL,
    kind INTEGER NOT NULL, stream_id TEXT NOT NULL, record_id TEXT NOT NULL, at_ms REAL NOT NULL,
    dead_ms INTEGER NOT NULL, attempts INTEGER NOT NULL, code TEXT NOT NULL, reason TEXT NOT NULL,
    payload BLOB NOT NULL, UNIQUE (sink, seq));
  CREATE TABLE outbox (id INTEGER PRIMARY KEY CHECK (id = 1), last_seq INTEGER NOT NULL,
    dead_letters_dropped INTEGER NOT NULL);
  INSERT INTO outbox VALUES (1, 6, 0);
  PRAGMA application_id = ${0x534c4f42};
`;

const VERSION_2 = 'CREATE TABLE route (first_seq INTEGER PRIMARY KEY, sinks TEXT NOT NULL);';

function writeJournal(dir: string, version: 1 | 2): void {
  mkdirSync(dir, { recursive: true });
  const database = new Database(join(dir, 'journal.db'));
  database.exec(VERSION_1);
  if (version === 2) database.exec(VERSION_2);
  database.pragma(`user_version = ${version}`);
  const insert = database.prepare('INSERT INTO chunk VALUES (?, 0, 3, ?, ?, ?, ?)');
  for (const firstSeq of [1, 4]) {
    const buffer = Buffer.alloc(1000);
    let end = 0;
    for (const index of [0, 1, 2]) end = writeRecord(buffer, end, record(firstSeq + index), false);
    const data = buffer.subarray(0, end);
    insert.run(firstSeq, end, Date.now(), crc32(data), data);
  }
  const lane = database.prepare('INSERT INTO lane VALUES (?, 0, ?, ?, ?, ?, ?, ?, ?)');
  // Delivered 1, refused 2, has 4 ahead of 3; `gone` was removed after 3 and two of the rest came without it.
  lane.run('a', 2, 6, 2, 1, '{}', '[4]', 0);
  lane.run('gone', 0, 3, 0, 0, '{}', '[]', 1);
  database
    .prepare('INSERT INTO dead_letter VALUES (7, ?, 2, 0, ?, ?, 0, ?, 1, ?, ?, ?)')
    .run(
      'a',
      'cam-1',
      record(2).recordId,
      Date.now(),
      'SL_SINK_REJECTED',
      'no',
      Buffer.from('two'),
    );
  database.close();
}

for (const version of [1, 2] as const) {
  test(`a journal of format ${version} is migrated and loses nothing`, async (context) => {
    const dir = temporaryDir(context);
    writeJournal(dir, version);
    const sinks = [{ id: 'a', kinds: ['frame'] }] as const;
    const outbox = await openOutbox(context, { dir, sinks });
    const counts = outbox.countsOf('a');
    assertConserved(counts);
    assert.deepEqual(
      [counts.accepted, counts.delivered, counts.deadLettered, counts.filtered, counts.pending],
      [6, 2, 1, 0, 3],
    );
    assert.deepEqual(counts.deadLetteredByCode, { unknown: 1 });
    assert.deepEqual(
      idsOf(await outbox.read('a', ALL)),
      idsOf([3, 5, 6].map((seq) => record(seq))),
    );
    const gone = outbox.countsOf('gone');
    assert.deepEqual([gone.orphaned, gone.pending], [true, 6]);
    assertConserved(gone);
    assert.deepEqual(await outbox.retryDeadLetters([7]), { retried: 1, kept: 0 });
    const [back] = await outbox.read('a', ALL);
    assert.equal(Buffer.from(back!.payload).toString(), 'two');
    outbox.ack('a', [
      { status: 'dead-lettered', record: back!, error: new Error('no'), attempts: 1 },
    ]);
    assert.deepEqual(
      (await outbox.deadLetters()).map(({ id }) => id),
      [8],
    );
    await outbox.close();
    const again = await openOutbox(context, {
      dir,
      sinks: [...sinks, { id: 'gone', kinds: ['frame'] }],
    });
    assert.equal((await again.read('gone', ALL)).length, 6);
    assertConserved(again.countsOf('gone'));
    assert.equal((await metricsOf(again))('outbox_records_dropped_total'), 0);
  });
}

test('pictures that lie in a file each, as before format 4, are handed out and their files deleted', async (context) => {
  const dir = temporaryDir(context);
  writeJournal(dir, 2);
  const database = new Database(join(dir, 'journal.db'));
  mkdirSync(join(dir, 'blobs'));
  const buffer = Buffer.alloc(1000);
  let end = 0;
  for (const seq of [7, 8]) {
    const picture = record(seq, { kind: 'image', payload: Buffer.alloc(100, seq) });
    end = writeRecord(buffer, end, picture, true);
    database.prepare('INSERT INTO blob VALUES (?, ?)').run(seq, crc32(picture.payload));
    writeFileSync(join(dir, 'blobs', `${seq}.blob`), picture.payload);
  }
  const data = buffer.subarray(0, end);
  database
    .prepare('INSERT INTO chunk VALUES (7, 1, 2, ?, ?, ?, ?)')
    .run(end + 200, Date.now(), crc32(data), data);
  database.exec("INSERT INTO lane VALUES ('p', 1, 6, 2, 0, 0, '{}', '[]', 0)");
  database.exec('UPDATE outbox SET last_seq = 8');
  database.close();
  const outbox = await openOutbox(context, { dir, sinks: [{ id: 'p', kinds: ['image'] }] });
  const pictures = await outbox.read('p', ALL);
  assert.deepEqual(
    pictures.map(({ payload }) => Buffer.from(payload)),
    [7, 8].map((seq) => Buffer.alloc(100, seq)),
  );
  ackAll(outbox, 'p', pictures);
  await until(() => readdirSync(join(dir, 'blobs')).length === 0, 'the files are deleted');
  assertConserved(outbox.countsOf('p'));
});
