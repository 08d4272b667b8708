import assert from 'node:assert/strict';
import { readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Database } from '../../src/common/sqlite.ts';
import { Outbox } from '../../src/outbox/outbox.ts';
import { metricsOf } from '../support/outbox-metrics.ts';
import {
  ALL,
  ackAll,
  assertConserved,
  idsOf,
  openOutbox,
  record,
  temporaryDir,
} from './helpers.ts';

// F4: what lies on the disk does not fit together: parts of it are empty, older than others, or gone.

const SINKS = [{ id: 'a', kinds: ['frame', 'image'] }] as const;
const COUNT = 60;

/** An outbox that stored COUNT frames and three pictures, of which 20 frames are delivered. Returns its folder. */
async function filled(context: TestContext): Promise<string> {
  const dir = temporaryDir(context);
  const outbox = await openOutbox(context, { dir, sinks: SINKS, limits: { inlineBytes: 500 } });
  for (let index = 0; index < COUNT; index++) {
    outbox.append(record(index));
    if (index % 10 === 9) await outbox.flushed();
  }
  for (let index = 0; index < 3; index++) {
    outbox.append(record(index, { kind: 'image', payload: Buffer.alloc(1000, index) }));
  }
  await outbox.flushed();
  ackAll(outbox, 'a', await outbox.read('a', { maxRecords: 20, maxBytes: 1e9 }));
  await outbox.close();
  return dir;
}

function change(dir: string, sql: string): void {
  const database = new Database(join(dir, 'journal.db'));
  database.exec(sql);
  database.close();
}

test('an empty journal in a folder that was in use is refused, and the pictures beside it are left', async (context) => {
  const dir = await filled(context);
  const file = join(dir, 'journal.db');
  truncateSync(file, 0);
  const refused = { code: 'SL_OUTBOX_CORRUPT', message: /empty, though its folder was in use/ };
  for (let attempt = 0; attempt < 2; attempt++) {
    await assert.rejects(Outbox.open({ dir, sinks: SINKS }), refused);
    assert.equal(readdirSync(join(dir, 'blobs')).length, 1);
  }
});

test('an empty journal that no start got further than is as good as none', async (context) => {
  const dir = await filled(context);
  truncateSync(join(dir, 'journal.db'), 0);
  rmSync(join(dir, 'blobs'), { recursive: true });
  const outbox = await openOutbox(context, { dir, sinks: SINKS });
  assert.equal(outbox.countsOf('a').accepted, 0);
});

test('a log and a ballast that are empty cost nothing', async (context) => {
  const dir = await filled(context);
  for (const name of ['journal.db-wal', 'ballast']) writeFileSync(join(dir, name), '');
  const outbox = await openOutbox(context, { dir, sinks: SINKS });
  assert.equal((await outbox.read('a', ALL)).length, COUNT - 20 + 3);
});

test('a journal that is newer than its data counts what is not there, and takes new records for new', async (context) => {
  const dir = await filled(context);
  const first = `(SELECT first_seq FROM chunk WHERE kind = 0 ORDER BY first_seq DESC LIMIT 1)`;
  const lost = 10;
  change(dir, `DELETE FROM chunk WHERE first_seq = ${first}`);
  const [blobs] = readdirSync(join(dir, 'blobs'));
  rmSync(join(dir, 'blobs', blobs!));
  const outbox = await openOutbox(context, { dir, sinks: SINKS });
  const left = await outbox.read('a', ALL);
  assert.equal(left.length, COUNT - 20 - lost);
  ackAll(outbox, 'a', left);
  const counts = outbox.countsOf('a');
  assertConserved(counts);
  assert.equal(counts.pending, 0);
  assert.deepEqual(counts.shedByReason, { missing: lost, corrupt: 3 });
  const metrics = await metricsOf(outbox);
  assert.equal(metrics('outbox_records_dropped_total', { sink: 'a', reason: 'missing' }), lost);
  assert.equal(metrics('outbox_corrupt_records_total'), 3);
  await outbox.close();

  // The numbers given last are those of what is gone.
  change(dir, 'DELETE FROM chunk; UPDATE outbox SET last_seq = 5');
  const again = await openOutbox(context, { dir, sinks: SINKS });
  for (let index = 100; index < 110; index++) again.append(record(index));
  await again.flushed();
  const fresh = await again.read('a', ALL);
  assert.deepEqual(
    idsOf(fresh),
    Array.from({ length: 10 }, (_, index) => record(100 + index).recordId),
  );
  assertConserved(again.countsOf('a'));
});
