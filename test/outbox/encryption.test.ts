import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Database } from '../../src/common/sqlite.ts';
import type { OutboxEncryption } from '../../src/outbox/options.ts';
import type { Outbox } from '../../src/outbox/outbox.ts';
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

const SINKS = [{ id: 'a', kinds: ['frame', 'image'] }] as const;
const LIMITS = { ...SMALL, inlineBytes: 500 };
const SECRET = Buffer.from('the plate of this car is nobody else`s business');

interface Place {
  readonly dir: string;
  open(encryption?: OutboxEncryption): Promise<Outbox>;
  key(name: string, content: string | Buffer): string;
}

function place(context: TestContext): Place {
  const root = temporaryDir(context);
  const dir = join(root, 'outbox');
  return {
    dir,
    open: (encryption) =>
      openOutbox(context, {
        ...{ dir, sinks: SINKS, limits: LIMITS },
        ...(encryption === undefined ? {} : { encryption }),
      }),
    key: (name, content) => {
      writeFileSync(join(root, name), content, { mode: 0o600 });
      return join(root, name);
    },
  };
}

/** A frame, a picture in the spool and a frame that becomes a dead letter. */
async function fill(outbox: Outbox): Promise<void> {
  outbox.append(record(0, { payload: SECRET }));
  await outbox.flushed();
  const read = await outbox.read('a', ALL);
  const error = new Error('no');
  outbox.ack(
    'a',
    read.map((item) => ({ status: 'dead-lettered', record: item, error, attempts: 1 })),
  );
  outbox.append(record(1, { payload: SECRET }));
  await outbox.flushed();
  outbox.append(record(2, { kind: 'image', payload: Buffer.concat(Array(20).fill(SECRET)) }));
  await outbox.flushed();
}

function bytesOnDisk(dir: string): Buffer {
  const names = readdirSync(dir, { recursive: true, encoding: 'utf8' });
  const files = names.filter((name) => /\.(db|db-wal|blob)$/.test(name));
  assert.ok(files.some((name) => name.endsWith('.blob')));
  return Buffer.concat(files.map((name) => readFileSync(join(dir, name))));
}

test('an encrypted outbox gives back what it took, and nothing of it can be read on the disk', async (context) => {
  const { dir, open, key } = place(context);
  const bytes = randomBytes(32);
  const keyFile = key('raw', bytes);
  const first = await open({ keyFile });
  await fill(first);
  await first.close();
  assert.equal(bytesOnDisk(dir).indexOf(SECRET.subarray(0, 12)), -1);

  // The same key, written otherwise.
  const second = await open({ keyFile: key('hex', `${bytes.toString('hex')}\n`) });
  const read = await second.read('a', ALL);
  assert.deepEqual(
    read.map(({ payload }) => Buffer.from(payload).subarray(0, SECRET.length)),
    [SECRET, SECRET],
  );
  const [letter] = await second.deadLetters();
  assert.equal(letter!.payloadBytes, SECRET.length);
  assert.deepEqual(Buffer.from((await second.deadLetter(letter!.id)).payload), SECRET);
  await second.retryDeadLetters({ sinkId: 'a' });
  const [back] = await second.read('a', ALL);
  assert.deepEqual(Buffer.from(back!.payload), SECRET);
  await second.close();
  const third = await open({ keyFile: key('base64', bytes.toString('base64')) });
  assert.equal((await third.read('a', ALL)).length, 3);
});

test('an encrypted outbox refuses a wrong, a missing and a malformed key', async (context) => {
  const { open, key } = place(context);
  const keyFile = key('key', randomBytes(32));
  const first = await open({ keyFile });
  await fill(first);
  await first.close();
  const refused = { code: 'SL_OUTBOX_KEY' };
  await assert.rejects(open({ keyFile: key('other', randomBytes(32)) }), refused);
  await assert.rejects(open(), { ...refused, message: /outbox\.encryption\.keyFile/ });
  await assert.rejects(open({ keyFile: key('short', randomBytes(31)) }), {
    ...refused,
    message: /32 bytes/,
  });
  await assert.rejects(open({ keyFile: '/nowhere/key' }), { ...refused, message: /ENOENT/ });
  assert.equal((await (await open({ keyFile })).read('a', ALL)).length, 2);
});

test('what was stored before encryption was asked for is still read', async (context) => {
  const { open, key } = place(context);
  const first = await open();
  await fill(first);
  await first.close();
  const second = await open({ keyFile: key('key', randomBytes(32)) });
  second.append(record(3));
  await second.flushed();
  assert.equal((await second.read('a', ALL)).length, 3);
  const [letter] = await second.deadLetters();
  assert.deepEqual(Buffer.from((await second.deadLetter(letter!.id)).payload), SECRET);
});

test('a new key is taken beside the old one, which is needed while anything of it is left', async (context) => {
  const { open, key } = place(context);
  const old = key('old', randomBytes(32));
  const fresh = key('fresh', randomBytes(32));
  const first = await open({ keyFile: old });
  await fill(first);
  await first.close();
  const second = await open({ keyFile: fresh, previousKeyFile: old });
  second.append(record(5));
  await second.flushed();
  assert.equal((await second.read('a', ALL)).length, 3);
  await second.close();
  await assert.rejects(open({ keyFile: fresh }), {
    code: 'SL_OUTBOX_KEY',
    message: /previousKeyFile/,
  });
  const third = await open({ keyFile: fresh, previousKeyFile: old });
  ackAll(third, 'a', await third.read('a', ALL));
  await third.purgeDeadLetters({ sinkId: 'a' });
  await until(() => third.stats().bytes === 0, 'all is delivered');
  await third.close();
  const fourth = await open({ keyFile: fresh });
  fourth.append(record(6));
  await fourth.flushed();
  assert.equal((await fourth.read('a', ALL)).length, 1);
});

test('sealed bytes that were changed or exchanged are counted as corrupt', async (context) => {
  const { dir, open, key } = place(context);
  const keyFile = key('key', randomBytes(32));
  const first = await open({ keyFile });
  for (const index of [1, 2, 3, 4]) {
    first.append(record(index, { payload: SECRET }));
    await first.flushed();
  }
  await first.close();
  const database = new Database(join(dir, 'journal.db'));
  const rows = database.prepare('SELECT first_seq, data FROM chunk ORDER BY first_seq').all() as {
    first_seq: number;
    data: Buffer;
  }[];
  const put = database.prepare('UPDATE chunk SET data = ? WHERE first_seq = ?');
  rows[0]!.data[rows[0]!.data.length - 1]! ^= 1;
  put.run(rows[0]!.data, rows[0]!.first_seq);
  put.run(rows[2]!.data, rows[1]!.first_seq);
  database.close();
  const second = await open({ keyFile });
  assert.deepEqual(idsOf(await second.read('a', ALL)), idsOf([record(3), record(4)]));
  const counts = second.countsOf('a');
  assert.deepEqual(counts.shedByReason, { corrupt: 2 });
  assert.equal(second.stats().corruptRecords, 2);
  assertConserved(counts);
});
