import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { OutboxRecord, Sink } from '../../src/common/delivery.ts';
import { collectYoungObjectsAlone } from '../../src/common/young-collections.ts';
import { Delivery } from '../../src/outbox/delivery.ts';
import { Outbox } from '../../src/outbox/outbox.ts';
import { createDirectSink } from '../../src/sinks/direct.ts';
import { createSink } from '../../src/sinks/registry.ts';
import type { SinkSpec } from '../../src/sinks/specs.ts';
import { frameRecord } from '../../test/sinks/samples.ts';
import { type LoopPauses, LoopWatch } from '../support/loop-watch.ts';

// As in a server.
collectYoungObjectsAlone();

/**
 * A sink behind a real outbox beside a bare loop of its client with the same batching: both in one process, in turns,
 * so that what else the machine does meets both. Prints each round and the medians. Nothing is asserted: the reader
 * compares.
 */
export interface Comparison {
  /** For the print. */
  readonly name: string;
  /** Makes the sink of a round; closed after it. */
  readonly sink: () => Sink | Promise<Sink>;
  /** Sends the records by the client alone, batched as the sink does; resolves when all are confirmed. */
  readonly bare: (records: readonly OutboxRecord[]) => Promise<void>;
  /** Records a round. Default 20,000. */
  readonly records?: number;
  /** Default 5. */
  readonly rounds?: number;
  /** Default 10. */
  readonly streams?: number;
  /** Objects a frame has; 23 make about 1 KB. Default 23. */
  readonly objects?: number;
  /** Default `eachFrame`. `run` keeps the ids of rounds apart. */
  readonly items?: (count: number, run: number) => Iterable<OutboxRecord>;
  /** Records before each round, so that a thread of the sink is as warm as the bare loop. Default 8,000. */
  readonly warmUp?: number;
}

interface Round {
  readonly perSecond: number;
  readonly cpuMicros: number;
  /** Of `cpuMicros`, what the main thread took. */
  readonly mainMicros: number;
  readonly pauses: LoopPauses;
}

/**
 * Frames of some streams, numbered, of about 1 KB. `run` keeps the ids of rounds apart. One after the other, as they come in:
 * a list of all of them would be the garbage collector's work beside the outbox'.
 */
export function* eachFrame(
  count: number,
  run: number,
  streams = 10,
  objects = 23,
): Generator<OutboxRecord> {
  const { payload } = frameRecord(1, { objects });
  const atMs = Date.now();
  for (let index = 0; index < count; index++) {
    const streamId = `cam-${index % streams}`;
    yield { kind: 'frame', streamId, recordId: `${streamId}/r${run}/${index}`, atMs, payload };
  }
}

export function frames(count: number, run: number): OutboxRecord[] {
  return [...eachFrame(count, run)];
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >>> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** An option of the command line, `--name value`. */
export function option(name: string, preset: number): number {
  const at = process.argv.indexOf(`--${name}`);
  return at === -1 ? preset : Number(process.argv[at + 1]);
}

/** The sink as a server has it, or with `--direct` in the main thread. */
export function sinkOf(spec: SinkSpec): Promise<Sink> {
  const create = process.argv.includes('--direct') ? createDirectSink : createSink;
  return create(spec, { baseDir: '/' });
}

/** Runs and prints a comparison; `--records N` and `--rounds N` of the command line win. */
export async function compare(comparison: Comparison): Promise<void> {
  const records = option('records', comparison.records ?? 20_000);
  const rounds = option('rounds', comparison.rounds ?? 5);
  const model = cpus()[0]?.model ?? 'unknown CPU';
  console.log(
    `${comparison.name}: ${records} records a round; ${cpus().length} x ${model}, Linux ${release()}, ${process.version}`,
  );
  const through: Round[] = [];
  const bare: Round[] = [];
  // The first round of each warms up and does not count.
  for (let run = 0; run <= rounds; run++) {
    const { streams, objects, warmUp = 8_000 } = comparison;
    const { items: make = (count, id) => eachFrame(count, id, streams, objects) } = comparison;
    const both = [
      async () => {
        const items = [...make(records, run)];
        bare.push(await measured(items.length, () => comparison.bare(items)));
      },
      async () => {
        const before = make(warmUp, 1000 + run);
        through.push(await throughOutbox(comparison, before, [records, make(records, run)]));
      },
    ];
    if (run % 2 === 1) both.reverse();
    for (const work of both) await work();
    print(run === 0 ? 'warm-up' : `round ${run}`, through.at(-1)!, bare.at(-1)!);
    if (run === 0) {
      through.pop();
      bare.pop();
    }
  }
  print('median', medians(through), medians(bare));
}

async function throughOutbox(
  { sink: make }: Comparison,
  before: Iterable<OutboxRecord>,
  [count, records]: readonly [number, Iterable<OutboxRecord>],
): Promise<Round> {
  const dir = mkdtempSync(join(tmpdir(), 'sightline-bench-'));
  const sink = await make();
  const outbox = await Outbox.open({ dir, sinks: [sink] });
  const delivery = new Delivery({ outbox, sink });
  delivery.start();
  try {
    await pour(outbox, before);
    await settled(outbox, sink.id);
    return await measured(count, async () => {
      await pour(outbox, records);
      await settled(outbox, sink.id);
      const { delivered, accepted, retries } = delivery.stats();
      if (delivered !== accepted) throw new Error(`${delivered} of ${accepted} were delivered`);
      if (retries > 0) console.log(`  ${retries} records had to be sent again`);
    });
  } finally {
    await delivery.close();
    await outbox.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Appends as fast as the outbox takes it, in turns as a data line would; waits where its queue is full, as this does. */
export async function pour(outbox: Outbox, records: Iterable<OutboxRecord>): Promise<void> {
  let inTurn = 0;
  for (const record of records) {
    while (!outbox.append(record)) await stored(outbox);
    if (++inTurn % 200 === 0) await nextTurn();
  }
}

/** Resolves when the outbox has stored some of what waits in it. */
function stored(outbox: Outbox): Promise<void> {
  return new Promise((resolve) => {
    const stop = outbox.onStored(() => {
      stop();
      resolve();
    });
  });
}

/** Resolves when every record accepted for the sink has its fate. */
export async function settled(outbox: Outbox, sinkId: string): Promise<void> {
  while (outbox.countsOf(sinkId).pending > 0) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** Rate, CPU of all threads a record, and the longest pause of the event loop. */
export async function measured(count: number, work: () => Promise<void>): Promise<Round> {
  const loop = new LoopWatch();
  loop.start();
  const before = process.cpuUsage();
  const mainBefore = mainThreadMicros();
  const started = performance.now();
  await work();
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(before);
  const main = mainThreadMicros() - mainBefore;
  const pauses = loop.stop();
  return {
    perSecond: count / seconds,
    cpuMicros: (user + system) / count,
    mainMicros: main / count,
    pauses,
  };
}

/** CPU time of the main thread since its start; NaN where the kernel does not say. */
function mainThreadMicros(): number {
  try {
    const text = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8');
    return Number(text.split(' ')[0]) / 1000;
  } catch {
    return Number.NaN;
  }
}

function medians(rounds: readonly Round[]): Round {
  return {
    perSecond: median(rounds.map(({ perSecond }) => perSecond)),
    cpuMicros: median(rounds.map(({ cpuMicros }) => cpuMicros)),
    mainMicros: median(rounds.map(({ mainMicros }) => mainMicros)),
    pauses: worst(rounds.map(({ pauses }) => pauses)),
  };
}

/** The longest of each. */
export function worst(pauses: readonly LoopPauses[]): LoopPauses {
  return {
    longestMs: Math.max(...pauses.map(({ longestMs }) => longestMs)),
    ownMs: Math.max(...pauses.map(({ ownMs }) => ownMs)),
    gcMs: Math.max(...pauses.map(({ gcMs }) => gcMs)),
  };
}

/** `own`: without the time the thread waited for a core. */
export function pausesText({ longestMs, ownMs, gcMs }: LoopPauses): string {
  return `${longestMs.toFixed(1)} (own ${ownMs.toFixed(1)}, GC ${gcMs.toFixed(1)})`;
}

function print(name: string, through: Round, bare: Round): void {
  const rate = (value: number): string => Math.round(value).toLocaleString('en').padStart(9);
  const one = (value: number): string => value.toFixed(1).padStart(6);
  const ratio = ((through.perSecond / bare.perSecond) * 100).toFixed(0);
  console.log(
    `${name.padEnd(9)} outbox ${rate(through.perSecond)}/s, bare ${rate(bare.perSecond)}/s, ratio ${ratio} %` +
      ` | CPU us/record ${one(through.cpuMicros)} (main ${one(through.mainMicros)}) and ${one(bare.cpuMicros)}` +
      ` | longest loop pause ms ${pausesText(through.pauses)} and ${pausesText(bare.pauses)}`,
  );
}
