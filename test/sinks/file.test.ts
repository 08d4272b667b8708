import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileName, filePath } from '../../src/sinks/file/names.ts';
import { FileSink } from '../../src/sinks/file/sink.ts';
import type { FileSinkSpec } from '../../src/sinks/file/spec.ts';
import { readVarint } from '../../src/sinks/format/length-delimited.ts';
import {
  errorCode,
  eventRecord,
  frameRecord,
  imageRecord,
  imageRef,
  NO_LIMIT,
  START_MS,
  statuses,
  withPayload,
} from './samples.ts';

const SPEC: FileSinkSpec = {
  id: 'files',
  type: 'file',
  required: true,
  dir: 'unused',
  kinds: ['frame', 'image', 'event'],
  formats: ['ndjson', 'protobuf'],
  maxFileBytes: 64 * 1024 * 1024,
  maxFileAgeMs: 3_600_000,
  maxWaitMs: 0,
};

function folder(context: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), 'sightline-files-'));
  context.after(() => rmSync(root, { recursive: true, force: true }));
  return root;
}

function makeSink(context: TestContext, root: string, spec: Partial<FileSinkSpec> = {}): FileSink {
  const sink = new FileSink({ ...SPEC, ...spec }, { root });
  context.after(() => sink.close());
  return sink;
}

function filesBelow(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort();
}

function messages(path: string): Buffer[] {
  const bytes = readFileSync(path);
  const found: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const { value, end } = readVarint(bytes, at)!;
    found.push(bytes.subarray(end, end + value));
    at = end + value;
  }
  return found;
}

function lines(path: string): { recordId: string; objects: unknown[] }[] {
  const text = readFileSync(path, 'utf8');
  assert.ok(text.endsWith('\n'));
  return text
    .slice(0, -1)
    .split('\n')
    .map((line) => JSON.parse(line) as { recordId: string; objects: unknown[] });
}

const BASE = 'cam-1/2026-01-31/13-0001';

test('file sink writes frames as NDJSON and protobuf, events and pictures by stream, day and hour', async (context) => {
  const root = folder(context);
  const sink = makeSink(context, root);
  const frames = [frameRecord(1), frameRecord(2), frameRecord(3, { streamId: 'cam-2' })];
  const late = frameRecord(4, { atMs: START_MS + 3_600_000 });
  const batch = [...frames, late, imageRecord(7, 5000), eventRecord(8)];
  assert.deepEqual(
    statuses(await sink.deliver(batch, NO_LIMIT)),
    batch.map(() => 'accepted'),
  );
  assert.deepEqual(filesBelow(root), [
    `${BASE}.events.ndjson`,
    `${BASE}.ndjson`,
    `${BASE}.pb`,
    'cam-1/2026-01-31/14-0001.ndjson',
    'cam-1/2026-01-31/14-0001.pb',
    'cam-2/2026-01-31/13-0001.ndjson',
    'cam-2/2026-01-31/13-0001.pb',
    `images/${imageRef(7)}`,
  ]);
  assert.deepEqual(
    lines(join(root, `${BASE}.ndjson`)).map(({ recordId, objects }) => [recordId, objects.length]),
    [
      ['cam-1/s1/1', 2],
      ['cam-1/s1/2', 2],
    ],
  );
  assert.deepEqual(
    messages(join(root, `${BASE}.pb`)),
    frames.slice(0, 2).map(({ payload }) => Buffer.from(payload)),
  );
  assert.deepEqual(readFileSync(join(root, 'images', imageRef(7))), Buffer.alloc(5000, 7));
  assert.equal(
    readFileSync(join(root, `${BASE}.events.ndjson`), 'utf8'),
    '{"type":"entered","zone":"door","seq":8}\n',
  );
});

test('file sink starts a new part when one is full or old, and goes on with the last one after a restart', async (context) => {
  const root = folder(context);
  const spec = { formats: ['ndjson'] as ['ndjson'], maxFileBytes: 4096 };
  const first = makeSink(context, root, spec);
  for (let seq = 0; seq < 20; seq++) await first.deliver([frameRecord(seq)], NO_LIMIT);
  await first.close();
  const parts = filesBelow(root);
  assert.ok(parts.length > 2, parts.join());
  for (const part of parts.slice(0, -1)) assert.ok(statSync(join(root, part)).size >= 4096);

  const second = makeSink(context, root, spec);
  await second.deliver([frameRecord(20)], NO_LIMIT);
  assert.deepEqual(filesBelow(root), parts);
  const ids = parts.flatMap((part) => lines(join(root, part)).map(({ recordId }) => recordId));
  assert.deepEqual(
    ids,
    Array.from({ length: 21 }, (_, seq) => `cam-1/s1/${seq}`),
  );

  const third = makeSink(context, root, { ...spec, maxFileAgeMs: 0 });
  await third.deliver([frameRecord(21)], NO_LIMIT);
  assert.equal(filesBelow(root).length, parts.length + 1);
});

test('file sink cuts off a torn tail before it appends', async (context) => {
  const root = folder(context);
  const sink = makeSink(context, root);
  await sink.deliver([frameRecord(1), frameRecord(2)], NO_LIMIT);
  await sink.close();
  const ndjson = join(root, `${BASE}.ndjson`);
  const pb = join(root, `${BASE}.pb`);
  truncateSync(ndjson, statSync(ndjson).size - 10);
  truncateSync(pb, statSync(pb).size - 10);
  const again = makeSink(context, root);
  await again.deliver([frameRecord(2), frameRecord(3)], NO_LIMIT);
  const expected = ['cam-1/s1/1', 'cam-1/s1/2', 'cam-1/s1/3'];
  assert.deepEqual(
    lines(ndjson).map(({ recordId }) => recordId),
    expected,
  );
  assert.equal(messages(pb).length, 3);
});

test('file sink cuts off zeros that a power cut left at the end', async (context) => {
  const root = folder(context);
  const sink = makeSink(context, root);
  await sink.deliver([frameRecord(1)], NO_LIMIT);
  await sink.close();
  for (const suffix of ['ndjson', 'pb']) {
    appendFileSync(join(root, `${BASE}.${suffix}`), Buffer.alloc(3000));
  }
  const again = makeSink(context, root);
  await again.deliver([frameRecord(2)], NO_LIMIT);
  assert.equal(lines(join(root, `${BASE}.ndjson`)).length, 2);
  assert.equal(messages(join(root, `${BASE}.pb`)).length, 2);
});

test('file sink rejects what cannot be read and writes the rest', async (context) => {
  const root = folder(context);
  const sink = makeSink(context, root);
  const junk = Buffer.from([0x0a, 0xff, 0x01]);
  const batch = [
    frameRecord(1),
    withPayload(frameRecord(2), junk),
    withPayload(imageRecord(3), junk),
    withPayload(eventRecord(4), Buffer.from('{')),
    frameRecord(5),
  ];
  const results = await sink.deliver(batch, NO_LIMIT);
  assert.deepEqual(statuses(results), ['accepted', 'rejected', 'rejected', 'rejected', 'accepted']);
  assert.equal(errorCode(results[1]), 'SL_SINK_REJECTED');
  assert.equal(lines(join(root, `${BASE}.ndjson`)).length, 2);
});

test('file sink reports a folder that cannot be written and goes on when it can', async (context) => {
  const root = folder(context);
  const sink = makeSink(context, join(root, 'out'));
  writeFileSync(join(root, 'out'), 'a file where the folder should be');
  const [result] = await sink.deliver([frameRecord(1)], NO_LIMIT);
  assert.equal(result?.status, 'retry');
  assert.equal(errorCode(result), 'SL_SINK_UNAVAILABLE');
  rmSync(join(root, 'out'));
  assert.deepEqual(statuses(await sink.deliver([frameRecord(1)], NO_LIMIT)), ['accepted']);
});

test('no id leads out of the folder', async (context) => {
  const root = folder(context);
  const outside = folder(context);
  const sink = makeSink(context, root);
  const hostile = ['../../etc', '..', '.', '/abs', 'a/../../b', 'nul\0', 'ümlaut', 'x'.repeat(500)];
  const frames = hostile.map((streamId, seq) => frameRecord(seq, { streamId }));
  const image = imageRecord(1);
  const batch = [...frames, image];
  assert.deepEqual(
    statuses(await sink.deliver(batch, NO_LIMIT)),
    batch.map(() => 'accepted'),
  );
  assert.equal(readdirSync(root).length, hostile.length + 1);
  assert.deepEqual(readdirSync(outside), []);
  assert.equal(filePath('../../a/./b.jpg'), '%2E./%2E./a/%2E/b.jpg');
  assert.equal(fileName(''), '%');
  assert.ok(fileName('x'.repeat(500)).length <= 200);
});

test('file sink gives up a batch that is aborted before it is written', async (t) => {
  const root = folder(t);
  const sink = makeSink(t, root);
  const abort = new AbortController();
  const given = sink.deliver(
    Array.from({ length: 4000 }, (_, index) => frameRecord(index + 1)),
    abort,
  );
  abort.abort();
  await assert.rejects(given, { name: 'AbortError' });
  assert.deepEqual(statuses(await sink.deliver([frameRecord(1)], NO_LIMIT)), ['accepted']);
});

test('file sink lets go of a batch that is aborted while the disk hangs with another', async (t) => {
  const root = folder(t);
  const sink = makeSink(t, root, { formats: ['ndjson'] });
  // A pipe without a reader holds whoever opens it to write, as a disk does that has gone away.
  const pipe = `${join(root, 'images', imageRef(1))}.tmp`;
  mkdirSync(dirname(pipe), { recursive: true });
  execFileSync('mkfifo', [pipe]);
  let hangs = true;
  const held = sink.deliver([imageRecord(1)], NO_LIMIT).finally(() => {
    hangs = false;
  });
  const abort = new AbortController();
  const given = sink.deliver([frameRecord(2)], abort);
  abort.abort();
  await assert.rejects(given, { name: 'AbortError' });
  const waiting = sink.deliver([frameRecord(3)], NO_LIMIT);
  assert.equal(hangs, true, 'it did not wait for the one before');
  const reader = openSync(pipe, 'r+');
  assert.deepEqual(statuses(await held), ['retry'], 'a pipe cannot be synced');
  closeSync(reader);
  assert.deepEqual(statuses(await waiting), ['accepted']);
  const [lines] = filesBelow(root).filter((name) => name.endsWith('.ndjson'));
  assert.match(readFileSync(join(root, lines!), 'utf8'), /^[^\n]*\n$/, 'only the last one');
});
