import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Database } from '../../src/common/sqlite.ts';
import { Outbox } from '../../src/outbox/outbox.ts';
import { moduleUrl, scriptArgs } from '../support/programs.ts';
import {
  ALL,
  ackAll,
  assertConserved,
  idsOf,
  openOutbox,
  record,
  SMALL,
  temporaryDir,
  until,
} from './helpers.ts';

const FRAMES = { id: 'frames', kinds: ['frame'] } as const;
const EVERYTHING = { id: 'all', kinds: ['frame', 'image', 'event'] } as const;
const PICTURES = { id: 'pictures', kinds: ['image'] } as const;

test('outbox hands every sink the records of its kinds, in order, with all they had', async (context) => {
  const outbox = await openOutbox(context, {
    dir: temporaryDir(context),
    sinks: [FRAMES, EVERYTHING],
  });
  const frames = [1, 2, 3].map((index) => record(index, { streamId: 'käme-1' }));
  const event = record(4, { kind: 'event', payload: Buffer.alloc(0) });
  for (const item of [...frames, event]) assert.equal(outbox.append(item), true);
  await outbox.flushed();
  const taken = await outbox.read('frames', ALL);
  assert.deepEqual(
    taken.map(({ seq: _seq, payload, ...rest }) => ({ ...rest, payload: Buffer.from(payload) })),
    frames,
  );
  assert.deepEqual(idsOf(await outbox.read('all', ALL)), idsOf([...frames, event]));
  assert.deepEqual(await outbox.read('all', ALL), []);
  assert.equal(outbox.countsOf('frames').accepted, 3);
  assert.equal(outbox.countsOf('all').accepted, 4);
  outbox.append(record(5, { kind: 'image' }));
  assert.equal(outbox.countsOf('frames').accepted, 3);
});

test('outbox goes on after a restart where each sink was, also with gaps', async (context) => {
  const dir = temporaryDir(context);
  const sinks = [FRAMES, EVERYTHING];
  const first = await openOutbox(context, { dir, sinks });
  for (let index = 0; index < 10; index++) first.append(record(index));
  await first.flushed();
  const read = await first.read('frames', ALL);
  ackAll(first, 'frames', read.slice(0, 4));
  ackAll(first, 'frames', [read[6]!, read[8]!]);
  await first.close();

  const second = await openOutbox(context, { dir, sinks });
  const left = await second.read('frames', ALL);
  assert.deepEqual(idsOf(left), idsOf([4, 5, 7, 9].map((index) => record(index))));
  assert.equal((await second.read('all', ALL)).length, 10);
  const { accepted, delivered, pending } = second.countsOf('frames');
  assert.deepEqual({ accepted, delivered, pending }, { accepted: 10, delivered: 6, pending: 4 });
});

test('outbox deletes what every sink is past, pictures and frames apart', async (context) => {
  const dir = temporaryDir(context);
  const outbox = await openOutbox(context, {
    dir,
    sinks: [FRAMES, PICTURES],
    limits: { inlineBytes: 100 },
  });
  for (let index = 0; index < 20; index++) {
    outbox.append(record(index));
    outbox.append(record(index, { kind: 'image', payload: Buffer.alloc(1000, index) }));
  }
  await outbox.flushed();
  const blobs = (): string[] => readdirSync(join(dir, 'blobs'));
  assert.equal(blobs().length, 1, 'those of a commit share a file');
  const before = outbox.stats().bytes;
  ackAll(outbox, 'frames', await outbox.read('frames', ALL));
  await until(() => outbox.stats().bytes < before, 'the frames are deleted');
  const pictures = await outbox.read('pictures', ALL);
  assert.equal(blobs().length, 1, 'pictures wait for their own sink');
  for (const [index, picture] of pictures.entries()) {
    assert.deepEqual(Buffer.from(picture.payload), Buffer.alloc(1000, index));
  }
  ackAll(outbox, 'pictures', pictures);
  await until(() => outbox.stats().bytes === 0, 'the pictures are deleted');
  assert.deepEqual(blobs(), []);
});

test('outbox hands out large payloads from memory, to each sink, and what memory has no room for from the disk', async (context) => {
  const dir = temporaryDir(context);
  const other = { ...PICTURES, id: 'others' };
  const limits = { inlineBytes: 100, cacheBytes: 2000 };
  const outbox = await openOutbox(context, { dir, sinks: [PICTURES, other], limits });
  for (let index = 0; index < 5; index++) {
    outbox.append(record(index, { kind: 'image', payload: Buffer.alloc(1000, index) }));
  }
  await outbox.flushed();
  for (const file of readdirSync(join(dir, 'blobs'))) rmSync(join(dir, 'blobs', file));
  for (const { id } of [PICTURES, other]) {
    const pictures = await outbox.read(id, ALL);
    assert.deepEqual(
      pictures.map(({ payload }) => Buffer.from(payload)),
      [3, 4].map((index) => Buffer.alloc(1000, index)),
    );
    assert.deepEqual(outbox.countsOf(id).shedByReason, { corrupt: 3 });
  }
});

test('outbox removes blobs no row speaks of when it opens', async (context) => {
  const dir = temporaryDir(context);
  const options = { dir, sinks: [PICTURES], limits: { inlineBytes: 10 } };
  const first = await openOutbox(context, options);
  first.append(record(1, { kind: 'image', payload: Buffer.alloc(100, 1) }));
  await first.close();
  const [known] = readdirSync(join(dir, 'blobs'));
  for (const name of ['999.blob', '5.tmp', 'other']) writeFileSync(join(dir, 'blobs', name), 'x');
  const second = await openOutbox(context, options);
  assert.deepEqual(readdirSync(join(dir, 'blobs')), [known]);
  assert.equal((await second.read('pictures', ALL)).length, 1);
});

test('outbox counts records whose bytes were damaged on the disk as shed, and gives the others', async (context) => {
  const dir = temporaryDir(context);
  const options = { dir, sinks: [EVERYTHING], limits: { inlineBytes: 50 } };
  const first = await openOutbox(context, options);
  for (let index = 0; index < 3; index++) {
    first.append(record(index));
    await first.flushed();
  }
  for (let index = 0; index < 2; index++) {
    first.append(record(index, { kind: 'image', payload: Buffer.alloc(100, index) }));
  }
  await first.close();
  const database = new Database(join(dir, 'journal.db'));
  const chunk = database
    .prepare('SELECT first_seq, data FROM chunk ORDER BY first_seq LIMIT 1 OFFSET 1')
    .get() as {
    first_seq: number;
    data: Buffer;
  };
  chunk.data[chunk.data.length - 1]! ^= 1;
  database
    .prepare('UPDATE chunk SET data = ? WHERE first_seq = ?')
    .run(chunk.data, chunk.first_seq);
  database.close();
  const [blobs] = readdirSync(join(dir, 'blobs'));
  truncateSync(join(dir, 'blobs', blobs!), 150);

  const second = await openOutbox(context, options);
  const left = await second.read('all', ALL);
  assert.deepEqual(idsOf(left), ['cam-1/s/0/frame', 'cam-1/s/2/frame', 'cam-1/s/0/image']);
  const counts = second.countsOf('all');
  assert.deepEqual(counts.shedByReason, { corrupt: 2 });
  assertConserved(counts);
});

test('a journal whose last writes were torn off opens with everything before them', async (context) => {
  const dir = temporaryDir(context);
  const script = `
    import { Outbox } from '${moduleUrl('src/outbox/outbox.ts')}';
    const outbox = await Outbox.open({ dir: process.argv[1], limits: { ballastBytes: 0 },
      sinks: [{ id: 'frames', kinds: ['frame'] }] });
    for (let index = 0; index < 50; index++) {
      outbox.append({ kind: 'frame', streamId: 'cam-1', recordId: 'r' + index, atMs: 0, payload: new Uint8Array(500) });
      await outbox.flushed();
    }
    process.kill(process.pid, 'SIGKILL');
  `;
  const args = [...scriptArgs(script), dir];
  const child = spawn(process.execPath, args, { stdio: 'inherit' });
  await once(child, 'exit');
  const wal = join(dir, 'journal.db-wal');
  truncateSync(wal, Math.floor(readFileSync(wal).length * 0.6));
  const outbox = await openOutbox(context, { dir, sinks: [FRAMES] });
  const left = await outbox.read('frames', ALL);
  assert.ok(left.length > 10 && left.length < 50, `${left.length} of 50`);
  assert.deepEqual(
    idsOf(left),
    left.map((_, index) => `r${index}`),
  );
  assertConserved(outbox.countsOf('frames'));
});

test('a second opener of a folder is told which folder is taken', async (context) => {
  const dir = temporaryDir(context);
  await openOutbox(context, { dir, sinks: [FRAMES] });
  const refused = {
    code: 'SL_DATA_DIR_LOCKED',
    message: new RegExp(`${dir} is in use by another sightline process: stop`),
  };
  await assert.rejects(Outbox.open({ dir, sinks: [FRAMES], limits: SMALL }), refused);
  const script = `
    import { Outbox } from '${moduleUrl('src/outbox/outbox.ts')}';
    await Outbox.open({ dir: process.argv[1], sinks: [] }).catch((error) => console.log(error.code));
  `;
  const args = [...scriptArgs(script), dir];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (data) => {
    said += String(data);
  });
  await once(child, 'exit');
  assert.equal(said.trim(), 'SL_DATA_DIR_LOCKED');
});

test('outbox refuses a newer format and foreign or damaged files, and leaves them as they are', async (context) => {
  const dir = temporaryDir(context);
  const open = (): Promise<Outbox> => Outbox.open({ dir, sinks: [FRAMES], limits: SMALL });
  await (await open()).close();
  const file = join(dir, 'journal.db');
  const database = new Database(file);
  database.pragma('user_version = 99');
  database.close();
  await assert.rejects(open(), { code: 'SL_OUTBOX_FORMAT', message: /format version 99/ });

  writeFileSync(file, 'not a database, and longer than a page header of one would be '.repeat(100));
  const before = readFileSync(file);
  await assert.rejects(open(), { code: 'SL_OUTBOX_CORRUPT', message: /Move its folder away/ });
  assert.deepEqual(readFileSync(file), before);
});

test('append refuses and counts when the queue in memory is full, and throws when closed', async (context) => {
  const outbox = await openOutbox(context, {
    dir: temporaryDir(context),
    sinks: [FRAMES],
    limits: { maxQueueBytes: 10_000 },
  });
  const payload = Buffer.alloc(1000);
  let taken = 0;
  for (let index = 0; index < 50; index++) if (outbox.append(record(index, { payload }))) taken++;
  assert.ok(taken >= 9 && taken <= 10, `${taken} taken`);
  assert.deepEqual(outbox.stats().refused, { 'queue-full': 50 - taken, pressure: 0, failed: 0 });
  assert.equal(outbox.countsOf('frames').accepted, taken);
  await outbox.flushed();
  assert.equal(outbox.append(record(99)), true);
  await outbox.close();
  assert.throws(() => outbox.append(record(100)), { code: 'SL_CLOSED' });
});

test('outbox sheds records that waited longer than its age bound', async (context) => {
  const dir = temporaryDir(context);
  const first = await openOutbox(context, { dir, sinks: [FRAMES] });
  first.append(record(1));
  await first.close();
  const database = new Database(join(dir, 'journal.db'));
  database.exec('UPDATE chunk SET stored_ms = stored_ms - 3600000');
  database.close();
  const outbox = await openOutbox(context, { dir, sinks: [FRAMES], limits: { maxAgeMs: 60_000 } });
  outbox.append(record(2));
  await outbox.flushed();
  await until(() => outbox.countsOf('frames').shed === 1, 'the old record is shed');
  assert.deepEqual(outbox.countsOf('frames').shedByReason, { age: 1 });
  assert.deepEqual(idsOf(await outbox.read('frames', ALL)), [record(2).recordId]);
});

test('the backlog of a sink that is gone is kept until it returns or is forgotten', async (context) => {
  const dir = temporaryDir(context);
  const first = await openOutbox(context, { dir, sinks: [FRAMES, EVERYTHING] });
  for (let index = 0; index < 5; index++) first.append(record(index));
  await first.close();

  const second = await openOutbox(context, { dir, sinks: [EVERYTHING] });
  second.append(record(5));
  await second.flushed();
  const orphan = second.stats().sinks.find(({ id }) => id === 'frames')!;
  assert.deepEqual([orphan.orphaned, orphan.pending], [true, 5]);
  await second.close();

  const third = await openOutbox(context, { dir, sinks: [EVERYTHING, FRAMES] });
  assert.deepEqual(
    idsOf(await third.read('frames', ALL)),
    [0, 1, 2, 3, 4].map((index) => record(index).recordId),
    'what came while it was gone is not for it',
  );
  assertConserved(third.countsOf('frames'));
  await third.close();

  const fourth = await openOutbox(context, { dir, sinks: [] });
  await fourth.forget('frames');
  await fourth.forget('all');
  assert.deepEqual(fourth.stats().sinks, []);
  await assert.rejects(fourth.forget('frames'), { code: 'SL_NOT_FOUND' });
  await until(() => fourth.stats().bytes === 0, 'nothing is kept for nobody');
});

test('a sink that is new starts with what comes after it', async (context) => {
  const dir = temporaryDir(context);
  const first = await openOutbox(context, { dir, sinks: [FRAMES] });
  first.append(record(1));
  await first.close();
  const second = await openOutbox(context, { dir, sinks: [FRAMES, EVERYTHING] });
  second.append(record(2));
  await second.flushed();
  assert.deepEqual(idsOf(await second.read('all', ALL)), [record(2).recordId]);
});

test('dead letters are kept with their reason within a bound', async (context) => {
  const dir = temporaryDir(context);
  const options = { dir, sinks: [FRAMES], limits: { deadLetterBytes: 2500 } };
  const first = await openOutbox(context, options);
  const payload = Buffer.alloc(1000);
  for (let index = 0; index < 4; index++) first.append(record(index, { payload }));
  await first.flushed();
  const error = new Error('too big for them');
  const read = await first.read('frames', ALL);
  first.ack(
    'frames',
    read.map((item) => ({ status: 'dead-lettered', record: item, error, attempts: 3 })),
  );
  await first.close();
  const second = await openOutbox(context, options);
  const letters = await second.deadLetters({ sinkId: 'frames' });
  assert.deepEqual(
    letters.map(({ recordId, reason, attempts, payloadBytes }) => [
      recordId,
      reason,
      attempts,
      payloadBytes,
    ]),
    [3, 2].map((index) => [record(index).recordId, 'too big for them', 3, 1000]),
  );
  assert.equal(second.countsOf('frames').deadLettered, 4);
  assert.equal(second.stats().deadLettersDropped, 2);
});

test('close stores what was appended just before', async (context) => {
  const dir = temporaryDir(context);
  const first = await openOutbox(context, { dir, sinks: [FRAMES] });
  for (let index = 0; index < 1000; index++) first.append(record(index));
  await first.close();
  assert.equal(existsSync(join(dir, 'journal.db-wal')), false, 'the log was folded in');
  const second = await openOutbox(context, { dir, sinks: [FRAMES] });
  assert.equal((await second.read('frames', ALL)).length, 1000);
});
