// Frames a second through each format and filter, beside what costs nothing: bytes handed on as they are. One record batch,
// one process; the ratio is to protobuf without anything. `--rounds 5 --frames 20000`.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { DeliveryResult, PendingRecord, Sink } from '../../src/common/delivery.ts';
import { FilteredSink } from '../../src/sinks/filter/filtered-sink.ts';
import type { When } from '../../src/sinks/filter/spec.ts';
import { Formatter, type MessageSpec } from '../../src/sinks/format/formatter.ts';
import { frameRecord } from '../../test/sinks/samples.ts';
import { median, option } from './harness.ts';

const ROUNDS = option('rounds', 5);
const FRAMES = option('frames', 20_000);
const BATCH = 500;
/** 23 objects are about 1 KB. */
const OBJECTS = 23;
const ACCEPTED: DeliveryResult = { status: 'accepted' };

const records = Array.from({ length: FRAMES }, (_, seq) =>
  frameRecord(seq, { objects: OBJECTS, streamId: `cam-${seq % 10}` }),
);

type Work = (batch: readonly PendingRecord[]) => unknown;

function formatting(spec: MessageSpec, headers = true): () => Work {
  return () => {
    const formatter = new Formatter(spec, { headers });
    return (batch) => formatter.formatInTurns(batch);
  };
}

/** A sink that takes everything at once, so that the filter alone is measured. */
function filtering(when: When): () => Work {
  const taking: Sink = {
    id: 'bench',
    type: 'bench',
    kinds: ['frame'],
    limits: { maxRecords: BATCH, maxBytes: 1e9, maxWaitMs: 0 },
    deliver: (batch) => Promise.resolve(batch.map(() => ACCEPTED)),
    close: () => Promise.resolve(),
  };
  return () => {
    const sink = new FilteredSink(taking, when);
    const { signal } = new AbortController();
    return (batch) => sink.deliver(batch, { signal });
  };
}

const CASES: Readonly<Record<string, () => Work>> = {
  protobuf: formatting({ format: 'protobuf' }),
  'protobuf, 50 frames a message': formatting({ format: 'protobuf', framesPerMessage: 50 }),
  'protobuf, CloudEvents in headers': formatting({ format: 'protobuf', envelope: 'cloudevents' }),
  'protobuf, CloudEvents in JSON': formatting(
    { format: 'protobuf', envelope: 'cloudevents' },
    false,
  ),
  'protobuf, some fields': formatting({
    format: 'protobuf',
    fields: ['objects.type', 'objects.bbox'],
  }),
  json: formatting({ format: 'json' }),
  'json, 50 frames a message': formatting({ format: 'json', framesPerMessage: 50 }),
  'json, some fields': formatting({ format: 'json', fields: ['objects.type', 'objects.bbox'] }),
  deepstream: formatting({ format: 'deepstream' }),
  'when: maxPerSecond': filtering({ maxPerSecond: 2 }),
  'when: classes': filtering({ classes: ['person'], minConfidence: 0.5 }),
  'when: changesOnly': filtering({ changesOnly: true }),
  'when: objects matching': filtering({ classes: ['car'], hasObjects: false, objects: 'matching' }),
};

async function measure(make: () => Work): Promise<number> {
  const work = make();
  const started = performance.now();
  for (let at = 0; at < records.length; at += BATCH) {
    await work(records.slice(at, at + BATCH));
    await nextTurn();
  }
  return (records.length * 1000) / (performance.now() - started);
}

const delay = monitorEventLoopDelay({ resolution: 1 });
const results = new Map<string, number[]>(Object.keys(CASES).map((name) => [name, []]));
for (const make of Object.values(CASES)) await measure(make);
delay.enable();
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, make] of Object.entries(CASES)) results.get(name)!.push(await measure(make));
}
delay.disable();
const base = median(results.get('protobuf')!);
for (const [name, rates] of results) {
  const rate = median(rates);
  console.log(
    `${name.padEnd(34)} ${Math.round(rate).toLocaleString('en').padStart(11)} frames/s  ${(rate / base).toFixed(3)}`,
  );
}
console.log(`greatest delay of the event loop: ${(delay.max / 1e6).toFixed(1)} ms`);
