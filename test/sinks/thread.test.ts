import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { checkValue } from '../../src/common/check.ts';
import { type DeliveryResult, RECORD_KINDS } from '../../src/common/delivery.ts';
import { SightlineError } from '../../src/common/errors.ts';
import { ThreadClient } from '../../src/common/thread-client.ts';
import type { EventLog } from '../../src/sinks/event-log.ts';
import { createSink } from '../../src/sinks/registry.ts';
import { SinkSpec } from '../../src/sinks/specs.ts';
import { packBatch, unpackBatch } from '../../src/sinks/thread/batch.ts';
import { BatchMemory } from '../../src/sinks/thread/batch-memory.ts';
import { packResults, unpackResults } from '../../src/sinks/thread/results.ts';
import {
  type SinkThread,
  startSinkThread,
  ThreadedSink,
  type ThreadedSinkOptions,
} from '../../src/sinks/thread/threaded-sink.ts';
import { freePort } from '../support/config.ts';
import { until } from '../support/wait.ts';
import { errorCode, frameRecord, NO_LIMIT, START_MS, statuses, withPayload } from './samples.ts';

function folder(context: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), 'sightline-thread-'));
  context.after(() => rmSync(root, { recursive: true, force: true }));
  return root;
}

function fileSpec(dir: string, more: object = {}): SinkSpec {
  return checkValue({ id: 'files', type: 'file', dir, maxWaitMs: 0, ...more }, SinkSpec);
}

/** Keeps what is logged, by the names of the events. */
function recordingLog(lines: (readonly [string, object])[]): EventLog {
  const at = (facts: object, event: string): void => void lines.push([event, facts]);
  return { debug: at, info: at, warn: at, error: at };
}

/** The first thread is a module that is not there and ends at once. */
function dyingFirst(started: { threads: number }): ThreadedSinkOptions['startThread'] {
  return (options, onEvent) => {
    started.threads++;
    if (started.threads > 1) return startSinkThread(options, onEvent);
    return new ThreadClient({ entry: new URL('./missing.ts', import.meta.url), what: 'It' });
  };
}

test('fates, reasons and log lines cross over from a sink’s thread', async (t) => {
  const dir = folder(t);
  const lines: (readonly [string, object])[] = [];
  const sink = await createSink(fileSpec(dir), { baseDir: dir, logger: recordingLog(lines) });
  t.after(() => sink.close());
  assert.ok(sink instanceof ThreadedSink);
  const damaged = withPayload(frameRecord(2), Buffer.from('no frame'));
  const results = await sink.deliver([frameRecord(1), damaged, frameRecord(3)], NO_LIMIT);
  assert.deepEqual(statuses(results), ['accepted', 'rejected', 'accepted']);
  assert.equal(errorCode(results[1]), 'SL_SINK_REJECTED');
  assert.match((results[1] as { error: Error }).error.message, /bytes are damaged/);
  await sink.close();
  const day = new Date(START_MS).toISOString().slice(0, 10);
  const file = readdirSync(join(dir, 'cam-1', day)).find((name) => name.endsWith('.ndjson'));
  appendFileSync(join(dir, 'cam-1', day, file!), '{"torn');
  const next = await createSink(fileSpec(dir), { baseDir: dir, logger: recordingLog(lines) });
  t.after(() => next.close());
  assert.deepEqual(statuses(await next.deliver([frameRecord(4)], NO_LIMIT)), ['accepted']);
  const [event, facts] = lines.at(-1)!;
  assert.equal(event, 'sink.file.tornTailCut');
  assert.equal((facts as { bytes: number }).bytes, 6);
});

test('a filter works in the thread of its sink', async (t) => {
  const dir = folder(t);
  const spec = fileSpec(dir, { when: { hasObjects: true } });
  const sink = await createSink(spec, { baseDir: dir });
  t.after(() => sink.close());
  const batch = [frameRecord(1, { objects: 2 }), frameRecord(2, { objects: 0 })];
  assert.deepEqual(statuses(await sink.deliver(batch, NO_LIMIT)), ['accepted', 'filtered']);
});

test('what a sink cannot see is refused before there is a thread', async () => {
  const spec = checkValue(
    { id: 'a', type: 'kafka', brokers: ['127.0.0.1:1'], acks: 'leader', idempotent: true },
    SinkSpec,
  );
  await assert.rejects(createSink(spec, { baseDir: '/' }), { code: 'SL_CONFIG_INVALID' });
});

test('an attempt in a thread ends with its signal, and an error keeps its code', async (t) => {
  const port = await freePort();
  const url = `mqtt://user@127.0.0.1:${port}`;
  const spec = checkValue({ id: 'm', type: 'mqtt', url, password: 'geheim' }, SinkSpec);
  const sink = await createSink(spec, { baseDir: '/' });
  t.after(() => sink.close());
  const away: unknown = await sink.deliver([frameRecord(1)], NO_LIMIT).catch((e: unknown) => e);
  assert.ok(away instanceof SightlineError);
  assert.equal(away.code, 'SL_SINK_UNAVAILABLE');
  assert.deepEqual(away.details, { reason: 'ECONNREFUSED' });
  assert.doesNotMatch(`${away.message}${JSON.stringify(away)}`, /geheim/);
  const dir = folder(t);
  const files = await createSink(fileSpec(dir), { baseDir: dir });
  t.after(() => files.close());
  const abort = new AbortController();
  const batch = Array.from({ length: 4000 }, (_, index) => frameRecord(index + 1));
  const given = files.deliver(batch, abort);
  abort.abort(new SightlineError('SL_SINK_TIMEOUT', 'Too long'));
  await assert.rejects(given, { code: 'SL_SINK_TIMEOUT', message: 'Too long' });
  assert.deepEqual(statuses(await files.deliver([frameRecord(1)], NO_LIMIT)), ['accepted']);
});

test('a sink whose thread died says so, and delivers with a new one', async (t) => {
  const dir = folder(t);
  const started = { threads: 0 };
  const spec = fileSpec(dir);
  const facts = await createSink(spec, { baseDir: dir });
  const startThread = dyingFirst(started)!;
  const sink = new ThreadedSink(facts, { spec, baseDir: dir, startThread });
  t.after(() => sink.close());
  await assert.rejects(sink.deliver([frameRecord(1)], NO_LIMIT), {
    code: 'SL_SINK_UNAVAILABLE',
    message: /thread of sink files died/,
  });
  assert.deepEqual(statuses(await sink.deliver([frameRecord(1)], NO_LIMIT)), ['accepted']);
  assert.equal(started.threads, 2);
});

test('a batch that was prepared is delivered, and only when it comes', async (t) => {
  const dir = folder(t);
  const sink = await createSink(fileSpec(dir, { formats: ['ndjson'] }), { baseDir: dir });
  t.after(() => sink.close());
  const records = Array.from({ length: 9 }, (_, index) => frameRecord(index + 1));
  const [first, second, third] = [records.slice(0, 3), records.slice(3, 6), records.slice(6, 9)];
  const damaged = withPayload(frameRecord(10), Buffer.from('no frame'));
  sink.prepare?.(first);
  assert.deepEqual(statuses(await sink.deliver(first, NO_LIMIT)), Array(3).fill('accepted'));
  sink.prepare?.(third);
  const other = await sink.deliver(second, NO_LIMIT);
  assert.deepEqual(statuses(other), Array(3).fill('accepted'), 'another one than was prepared');
  sink.prepare?.([...third, damaged]);
  sink.prepare?.([third[0]!, damaged, third[1]!]);
  const same = await sink.deliver([third[0]!, damaged, third[1]!], NO_LIMIT);
  assert.deepEqual(statuses(same), ['accepted', 'rejected', 'accepted']);
  sink.prepare?.(first);
  await sink.close();
  const day = join(dir, 'cam-1', new Date(START_MS).toISOString().slice(0, 10));
  const lines = readdirSync(day).map((name) => readFileSync(join(day, name), 'utf8'));
  assert.equal(lines.join('').split('\n').length - 1, 8, 'each once, in whatever file');
});

test('a batch that was prepared in a thread that died is handed to the next one', async (t) => {
  const dir = folder(t);
  const spec = fileSpec(dir);
  const threads: SinkThread[] = [];
  const startThread: ThreadedSinkOptions['startThread'] = (options, onEvent) => {
    const thread = startSinkThread(options, onEvent);
    threads.push(thread);
    return thread;
  };
  const sink = new ThreadedSink(await createSink(spec, { baseDir: dir }), {
    ...{ spec, baseDir: dir, startThread },
  });
  t.after(() => sink.close());
  const batch = [frameRecord(1), frameRecord(2)];
  assert.deepEqual(statuses(await sink.deliver([frameRecord(3)], NO_LIMIT)), ['accepted']);
  sink.prepare(batch);
  await threads[0]!.close();
  assert.deepEqual(statuses(await sink.deliver(batch, NO_LIMIT)), ['accepted', 'accepted']);
  assert.equal(threads.length, 2);
});

test('the thread of a sink that works without records is started anew without one', async (t) => {
  const dir = folder(t);
  const started = { threads: 0 };
  const spec = fileSpec(dir, { formats: ['parquet'] });
  const facts = await createSink(spec, { baseDir: dir });
  const startThread = dyingFirst(started)!;
  const sink = new ThreadedSink(facts, { spec, baseDir: dir, startThread });
  t.after(() => sink.close());
  sink.start?.();
  await until('a second thread', 10_000, () => started.threads === 2);
});

test('batches and results are the same on the other side', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 20 });
  const record = fc.record(
    {
      seq: fc.maxSafeNat(),
      kind: fc.constantFrom(...RECORD_KINDS),
      streamId: text,
      recordId: text,
      atMs: fc.double({ noNaN: true, min: 0, max: 1e14 }),
      payload: fc.uint8Array({ maxLength: 50 }),
    },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(fc.array(record, { maxLength: 20 }), (batch) => {
      const there = unpackBatch(structuredClone(packBatch(batch, new BatchMemory())));
      const plain = there.map((one) => {
        return { ...one.toPlain(), payload: Uint8Array.from(one.payload) };
      });
      assert.deepEqual(plain, batch);
    }),
  );
  const errors = ['SL_SINK_THROTTLED', 'SL_SINK_REJECTED'].map(
    (code) => new SightlineError(code as 'SL_SINK_THROTTLED', code, { details: { reason: 7 } }),
  );
  const error = fc.constantFrom(...errors);
  const result: fc.Arbitrary<DeliveryResult> = fc.oneof(
    fc.record({ status: fc.constantFrom('accepted' as const, 'filtered' as const) }),
    fc.record({ status: fc.constantFrom('retry' as const, 'rejected' as const), error }),
  );
  const plain = (results: readonly DeliveryResult[]) =>
    results.map((one) => ('error' in one ? [one.status, { ...one.error }] : [one.status]));
  fc.assert(
    fc.property(fc.array(result, { maxLength: 20 }), (results) => {
      const there = unpackResults(structuredClone(packResults(results)));
      assert.deepEqual(plain(there), plain(results));
    }),
  );
});
