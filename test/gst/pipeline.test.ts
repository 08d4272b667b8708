import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { constants } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { PipelineEvent } from '../../src/gst/events.ts';
import { GstPipeline, type OutputRecord } from '../../src/gst/pipeline.ts';
import { until } from '../support/wait.ts';
import { graph, node, output, pictures } from './graphs.ts';

test('records reach JavaScript whole and in order', async () => {
  const records: OutputRecord[] = [];
  let ended = false;
  await using pipeline = await GstPipeline.create(pictures('p', { 'num-buffers': 300 }), {
    count: ['out'],
    records: { to: 'js', onRecords: (batch) => void records.push(...batch) },
    onEvent: ({ type }) => {
      if (type === 'eos') ended = true;
    },
  });
  await pipeline.setState('playing', { wait: true });
  await until('the stream ends', 5_000, () => ended && records.length === 300);
  for (const { node: from, kind, data } of records) {
    assert.equal(from, 'out');
    assert.equal(kind, 1);
    assert.equal(data.length, 256);
  }
  assert.deepEqual(pipeline.counters(), {
    eventsDropped: 0,
    outputs: { out: { records: 300, bytes: 300 * 256, dropped: 0 } },
    entered: { out: 300 },
  });
});

test('events tell the pipeline’s states, the first buffer and the end', async () => {
  const events: PipelineEvent[] = [];
  await using pipeline = await GstPipeline.create(pictures('p', { 'num-buffers': 2 }), {
    watch: ['source'],
    onEvent: (event) => void events.push(event),
  });
  await pipeline.setState('playing', { wait: true });
  await until('the stream ends', 5_000, () => events.some(({ type }) => type === 'eos'));
  const told = events.map((event) =>
    event.type === 'state'
      ? `${event.from}>${event.to}`
      : event.type === 'first-buffer'
        ? `first ${event.node}`
        : event.type === 'node-eos'
          ? `last ${event.node}`
          : event.type,
  );
  assert.deepEqual(
    new Set(told),
    new Set(['null>ready', 'ready>paused', 'paused>playing', 'first source', 'last source', 'eos']),
  );
  assert.equal(told.filter((name) => name === 'first source').length, 1);
  assert.equal(told.filter((name) => name === 'last source').length, 1);
});

test('setState() rejects with the error that the pipeline posted', async () => {
  const broken = graph('p', [
    node('src', 'filesrc', 'source', { location: '/nonexistent/clip.mp4' }),
    node('sink', 'fakesink', 'output'),
  ]);
  const events: PipelineEvent[] = [];
  await using pipeline = await GstPipeline.create(broken, {
    onEvent: (event) => void events.push(event),
  });
  await assert.rejects(pipeline.setState('playing', { wait: true }), {
    code: 'SL_SOURCE_NOT_FOUND',
    message: /The source does not exist.*\(node "src", filesrc\)/,
  });
  const [error] = events.filter(({ type }) => type === 'error');
  assert.ok(error?.type === 'error');
  assert.deepEqual(
    [error.node, error.element, error.factory, error.domain, error.code],
    ['src', 'src', 'filesrc', 'resource', 3],
  );
});

test('setState() with `wait` gives up at its limit without calling the pipeline frozen', async () => {
  // Nothing ever reaches the sink, so the pipeline never is in PAUSED.
  const silent = graph('p', [node('src', 'appsrc', 'source'), node('sink', 'fakesink', 'output')]);
  await using pipeline = await GstPipeline.create(silent);
  await assert.rejects(pipeline.setState('paused', { wait: true, timeoutMs: 100 }), {
    code: 'SL_PIPELINE_TIMEOUT',
    message: /the change to state paused of pipeline "p" within 100 ms/,
  });
  assert.equal(pipeline.frozen, false);
});

test('a pipeline whose call into GStreamer hangs is frozen, and close() does not wait for it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sightline-frozen-'));
  const fifo = join(folder, 'fifo');
  execFileSync('mkfifo', [fifo]);
  try {
    // Opening a FIFO waits for its writer, inside of the state change.
    const pipeline = await GstPipeline.create(
      graph('p', [
        node('src', 'filesrc', 'source', { location: fifo }),
        node('sink', 'fakesink', 'output'),
      ]),
    );
    await assert.rejects(pipeline.setState('playing', { timeoutMs: 200 }), {
      code: 'SL_PIPELINE_TIMEOUT',
    });
    assert.equal(pipeline.frozen, true);
    const before = performance.now();
    await pipeline.close();
    assert.ok(performance.now() - before < 500);
  } finally {
    // A writer lets the thread that was left behind go.
    const writer = await open(fifo, constants.O_RDWR | constants.O_NONBLOCK);
    await writer.close();
    await rm(folder, { recursive: true });
  }
});

test('setState() obeys its signal', async () => {
  const silent = graph('p', [node('src', 'appsrc', 'source'), node('sink', 'fakesink', 'output')]);
  await using pipeline = await GstPipeline.create(silent);
  const signal = AbortSignal.timeout(50);
  await assert.rejects(pipeline.setState('paused', { wait: true, signal }), {
    name: 'TimeoutError',
  });
});

test('setProperties() changes a running element and refuses what create() refuses', async () => {
  await using pipeline = await GstPipeline.create(pictures('p', { 'is-live': true }));
  await pipeline.setState('playing');
  await pipeline.setProperties([{ node: 'source', property: 'pattern', value: 'snow' }]);
  assert.deepEqual(await pipeline.getProperties([['source', 'pattern']]), ['snow']);
  await assert.rejects(
    pipeline.setProperties([{ node: 'source', property: 'pattern', value: 'sn0w' }]),
    {
      code: 'SL_SPEC_INVALID',
    },
  );
  await assert.rejects(
    pipeline.setProperties([{ node: 'nobody', property: 'pattern', value: 'snow' }]),
    {
      code: 'SL_NOT_FOUND',
      message: 'Pipeline "p" has no node "nobody"',
    },
  );
});

test('getProperties() reads structures as JSON and refuses what is not there', async () => {
  await using pipeline = await GstPipeline.create(pictures('p', { 'num-buffers': 0 }));
  const [stats, none] = await pipeline.getProperties([
    ['out', 'stats'],
    ['out', 'caps'],
  ]);
  assert.deepEqual(stats, {
    name: 'application/x-gst-base-sink-stats',
    fields: {
      'average-rate': 0,
      dropped: '0',
      rendered: '0',
      ...(stats as { fields: object }).fields,
    },
  });
  assert.equal(none, null);
  await assert.rejects(pipeline.getProperties([['out', 'nothing']]), { code: 'SL_SPEC_INVALID' });
});

test('sendEos() ends a live pipeline in order', async () => {
  let ended = false;
  await using pipeline = await GstPipeline.create(pictures('p', { 'is-live': true }), {
    onEvent: ({ type }) => {
      if (type === 'eos') ended = true;
    },
  });
  await pipeline.setState('playing');
  assert.equal(await pipeline.sendEos(), true);
  await until('the stream ends', 3_000, () => ended);
});

test('dot() and getProperties() hide secret properties', async () => {
  const secret =
    'rtsp://camera/path?password=very"se\\cret\nvalue-that-is-long-enough-to-be-cut-off-by-the-dump';
  const camera = graph('p', [
    node(
      'src',
      'rtspsrc',
      'source',
      { location: secret, 'user-id': 'joe', 'user-pw': 'hunter2', latency: 123 },
      { secret: ['location', 'user-pw'] },
    ),
  ]);
  await using pipeline = await GstPipeline.create(camera);
  const dot = await pipeline.dot();
  assert.match(dot, /\\nlocation=\[redacted\]\\n/);
  assert.match(dot, /\\nuser-pw=\[redacted\]/);
  assert.match(dot, /\\nuser-id=\\"joe\\"\\n/);
  assert.match(dot, /\\nlatency=123\\n/);
  assert.doesNotMatch(dot, /hunter2|password|very|se\\\\cret|value-that/);
  assert.deepEqual(await pipeline.getProperties([['src', 'user-pw']]), ['[redacted]']);
});

test('close() is idempotent, and every call after it says SL_CLOSED', async () => {
  const pipeline = await GstPipeline.create(pictures('p', {}));
  await pipeline.setState('playing');
  assert.equal(pipeline.closed, false);
  const closing = pipeline.close();
  assert.equal(pipeline.close(), closing);
  await closing;
  assert.equal(pipeline.closed, true);
  const closed = { code: 'SL_CLOSED' };
  await assert.rejects(pipeline.setState('playing'), closed);
  await assert.rejects(pipeline.getProperties([['out', 'caps']]), closed);
  await assert.rejects(
    pipeline.setProperties([{ node: 'source', property: 'pattern', value: 'ball' }]),
    closed,
  );
  await assert.rejects(pipeline.dot(), closed);
  await assert.rejects(pipeline.sendEos(), closed);
  assert.throws(() => pipeline.counters(), closed);
});

test('close() fails what is still being waited for', async () => {
  const silent = graph('p', [node('src', 'appsrc', 'source'), node('sink', 'fakesink', 'output')]);
  const pipeline = await GstPipeline.create(silent);
  const waiting = assert.rejects(pipeline.setState('paused', { wait: true }), {
    code: 'SL_PIPELINE_FAILED',
  });
  await pipeline.close();
  await waiting;
});

test('an aborted signal closes the pipeline', async () => {
  const controller = new AbortController();
  const pipeline = await GstPipeline.create(pictures('p', {}), { signal: controller.signal });
  await pipeline.setState('playing');
  controller.abort();
  assert.equal(pipeline.closed, true);
  await pipeline.close();
  await assert.rejects(GstPipeline.create(pictures('p', {}), { signal: controller.signal }), {
    name: 'AbortError',
  });
});

test('a pipeline with two outputs tells their records apart', async () => {
  const seen = new Map<string, number>();
  const two = graph(
    'p',
    [
      node('src', 'videotestsrc', 'source', { 'num-buffers': 20 }),
      node('split', 'tee', 'split'),
      node('qa', 'queue', 'queue'),
      node('qb', 'queue', 'queue'),
      output('a', 1),
      output('b', 2),
    ],
    {
      links: [
        { from: 'src', to: 'split' },
        { from: 'split.src_%u', to: 'qa' },
        { from: 'split.src_%u', to: 'qb' },
        { from: 'qa', to: 'a' },
        { from: 'qb', to: 'b' },
      ],
    },
  );
  await using pipeline = await GstPipeline.create(two, {
    records: {
      to: 'js',
      onRecords: (batch) => {
        for (const { node: from, kind } of batch) {
          const key = `${from}${kind}`;
          seen.set(key, (seen.get(key) ?? 0) + 1);
        }
      },
    },
  });
  await pipeline.setState('playing');
  await until('all records', 5_000, () => seen.get('a1') === 20 && seen.get('b2') === 20);
});
