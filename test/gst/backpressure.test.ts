import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { PipelineEvent } from '../../src/gst/events.ts';
import { loadAddon } from '../../src/gst/load-addon.ts';
import { GstPipeline } from '../../src/gst/pipeline.ts';
import { until } from '../support/wait.ts';
import { graph, node, output, pictures } from './graphs.ts';

/** A descriptor to write to that nobody else touches, and its reader, which does not read yet. */
async function linePair(): Promise<{ fd: number; reader: Socket } & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), 'sightline-line-'));
  const fifo = join(folder, 'fifo');
  execFileSync('mkfifo', [fifo]);
  const readFd = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  const fd = openSync(fifo, constants.O_WRONLY);
  const reader = new Socket({ fd: readFd, readable: true, writable: false });
  reader.on('error', () => undefined);
  return {
    fd,
    reader,
    async [Symbol.asyncDispose]() {
      loadAddon().forgetWriter(fd);
      reader.destroy();
      closeSync(fd);
      await rm(folder, { recursive: true });
    },
  };
}

interface Parsed {
  readonly kinds: Map<number, number>;
  rest: Buffer;
  count: number;
}

function countRecords(reader: Socket, expectedBytes: number): Parsed {
  const parsed: Parsed = { kinds: new Map(), rest: Buffer.alloc(0), count: 0 };
  reader.on('data', (chunk: Buffer) => {
    const bytes = Buffer.concat([parsed.rest, chunk]);
    let at = 0;
    while (bytes.length - at >= 8) {
      const length = bytes.readUInt32LE(at);
      assert.equal(length, expectedBytes);
      if (bytes.length - at < 8 + length) break;
      const kind = bytes.readUInt32LE(at + 4);
      parsed.kinds.set(kind, (parsed.kinds.get(kind) ?? 0) + 1);
      parsed.count += 1;
      at += 8 + length;
    }
    parsed.rest = bytes.subarray(at);
  });
  return parsed;
}

test('while JavaScript is busy records wait up to their bound, and every drop is counted', async () => {
  let received = 0;
  let calls = 0;
  let ended = false;
  const frames = 2_000;
  await using pipeline = await GstPipeline.create(pictures('p', { 'num-buffers': frames }), {
    records: {
      to: 'js',
      maxRecords: 16,
      onRecords: (records) => {
        received += records.length;
        calls += 1;
      },
    },
    onEvent: ({ type }) => {
      if (type === 'eos') ended = true;
    },
  });
  await pipeline.setState('playing', { wait: true });
  const busyUntil = performance.now() + 300;
  while (performance.now() < busyUntil);
  await until('the stream ends', 5_000, () => ended);
  const { records, dropped } = pipeline.counters().outputs['out']!;
  assert.equal(received, records);
  assert.equal(records + dropped, frames);
  assert.ok(dropped > 0);
  assert.ok(calls < received / 2, `${received} records in ${calls} calls`);
});

test('a flood of events while JavaScript is busy is bounded and counted; the end still arrives', async () => {
  const seen = new Map<string, number>();
  const chatty = graph('p', [
    node('src', 'videotestsrc', 'source', { 'num-buffers': 3_000 }),
    node('level', 'videoanalyse', 'convert', { message: true }),
    node('sink', 'fakesink', 'output', { sync: false }),
  ]);
  await using pipeline = await GstPipeline.create(chatty, {
    onEvent: ({ type }) => void seen.set(type, (seen.get(type) ?? 0) + 1),
  });
  await pipeline.setState('playing');
  const busyUntil = performance.now() + 1_000;
  while (performance.now() < busyUntil);
  await until('the stream ends', 10_000, () => seen.has('eos'));
  assert.equal((seen.get('element') ?? 0) + pipeline.counters().eventsDropped, 3_000);
});

test('records reach a descriptor whole while its reader is slow; drops are counted, the stream never waits', async () => {
  await using pair = await linePair();
  let ended = false;
  const frames = 30_000;
  await using pipeline = await GstPipeline.create(pictures('p', { 'num-buffers': frames }), {
    records: { to: 'fd', fd: pair.fd },
    onEvent: ({ type }) => {
      if (type === 'eos') ended = true;
    },
  });
  await pipeline.setState('playing');
  await until('the stream ends although nobody reads', 10_000, () => ended);
  const { records, dropped } = pipeline.counters().outputs['out']!;
  assert.equal(records + dropped, frames);
  assert.ok(dropped > 0);
  assert.ok(loadAddon().writerStats(pair.fd).pending > 0);

  const parsed = countRecords(pair.reader, 256);
  pair.reader.resume();
  await until('everything is read', 10_000, () => parsed.count === records);
  assert.deepEqual([...parsed.kinds], [[1, records]]);
  assert.equal(parsed.rest.length, 0);
  const { pending, written, error } = loadAddon().writerStats(pair.fd);
  assert.deepEqual({ pending, written, error }, { pending: 0, written: records, error: 0 });
});

test('two pipelines share a descriptor without mixing their records', async () => {
  await using pair = await linePair();
  const parsed = countRecords(pair.reader, 256);
  pair.reader.resume();
  const frames = 1_000;
  const source = node('source', 'videotestsrc', 'source', { 'num-buffers': frames });
  const links = [
    { from: 'source', to: 'out', caps: 'video/x-raw,format=GRAY8,width=16,height=16' },
  ];
  const records = { to: 'fd', fd: pair.fd } as const;
  await using a = await GstPipeline.create(graph('a', [source, output('out', 1)], { links }), {
    records,
  });
  await using b = await GstPipeline.create(graph('b', [source, output('out', 2)], { links }), {
    records,
  });
  await Promise.all([a.setState('playing'), b.setState('playing')]);
  const taken = (pipeline: GstPipeline) => pipeline.counters().outputs['out']!;
  await until('both ended', 10_000, () =>
    [a, b].every((pipeline) => taken(pipeline).records + taken(pipeline).dropped === frames),
  );
  await until(
    'all is read',
    5_000,
    () => parsed.kinds.get(1) === taken(a).records && parsed.kinds.get(2) === taken(b).records,
  );
});

test('a reader that goes away stops the writer with an event; the stream goes on and counts', async () => {
  await using pair = await linePair();
  const events: PipelineEvent[] = [];
  await using pipeline = await GstPipeline.create(pictures('p', { 'is-live': true }), {
    records: { to: 'fd', fd: pair.fd },
    onEvent: (event) => void events.push(event),
  });
  await pipeline.setState('playing');
  pair.reader.resume();
  await until('a record is written', 5_000, () => loadAddon().writerStats(pair.fd).written > 0);
  pair.reader.destroy();
  const stopped = await until('the writer stops', 5_000, () =>
    events.find((event) => event.type === 'writer-stopped'),
  );
  assert.ok(stopped.type === 'writer-stopped');
  assert.equal(stopped.fd, pair.fd);
  assert.equal(stopped.message, 'Broken pipe');
  await until('drops are counted', 5_000, () => pipeline.counters().outputs['out']!.dropped > 0);
});
