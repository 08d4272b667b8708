import { fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { PARTS, type PartName, type PartResult } from './outbox/parts.ts';

// What the outbox does beside a plain loop that appends and syncs, in one run: medians, each part in its own process.
//   node --import tsx bench/outbox.ts [--dir FOLDER] [--runs 5]
// The folder decides the disk. Nothing else should run on the machine meanwhile.

const RECORD_BYTES = 1024;
const GROUP = 500;

function option(name: string, preset: string): string {
  const at = process.argv.indexOf(`--${name}`);
  return at === -1 ? preset : (process.argv[at + 1] ?? preset);
}

/** Appends groups of records to one file and syncs each group: what any durable queue has to do at least. */
function plainLoop(dir: string): number {
  const records = 200_000;
  const group = Buffer.alloc(GROUP * RECORD_BYTES, 1);
  const descriptor = openSync(join(dir, 'plain'), 'w');
  const started = performance.now();
  for (let done = 0; done < records; done += GROUP) {
    writeSync(descriptor, group);
    fdatasyncSync(descriptor);
  }
  const perSecond = (records / (performance.now() - started)) * 1000;
  closeSync(descriptor);
  return perSecond;
}

async function runPart(part: PartName, parent: string): Promise<PartResult> {
  const dir = mkdtempSync(join(parent, `sightline-${part}-`));
  try {
    const child = fork(new URL(import.meta.url), ['--part', part, '--dir', dir]);
    const [result] = (await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(([code]) => {
        throw new Error(`${part} ended with ${String(code)}`);
      }),
    ])) as [PartResult];
    await once(child, 'exit');
    return result;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >>> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function show(name: string, values: readonly number[], note: string): void {
  const text = values.map((value) => value.toLocaleString('en', { maximumFractionDigits: 1 }));
  const middle = median(values).toLocaleString('en', { maximumFractionDigits: 1 });
  console.log(`${name.padEnd(52)} ${middle.padStart(12)}   ${note}   [${text.join(', ')}]`);
}

async function main(): Promise<void> {
  const parent = option('dir', '/tmp');
  const runs = Number(option('runs', '5'));
  const model = cpus()[0]?.model ?? 'unknown CPU';
  console.log(
    `${new Date().toISOString()} ${cpus().length} x ${model}, Linux ${release()}, ${process.version}`,
  );
  const results = new Map<string, number[]>();
  const add = (name: string, value: number): void => {
    const values = results.get(name) ?? [];
    values.push(value);
    results.set(name, values);
  };
  for (let run = 0; run < runs; run++) {
    const dir = mkdtempSync(join(parent, 'sightline-plain-'));
    const plain = plainLoop(dir);
    rmSync(dir, { recursive: true });
    add('plain append+fdatasync of 1 KB in groups of 500, /s', plain);
    for (const part of ['intake', 'through'] as const) {
      for (const [name, value] of Object.entries(await runPart(part, parent))) {
        add(name, value);
        if (name.endsWith(', /s')) add(`${name.slice(0, -4)}, ratio to plain`, value / plain);
      }
    }
  }
  for (const part of ['backlog', 'idle'] as const) {
    for (const [name, value] of Object.entries(await runPart(part, parent))) add(name, value);
  }
  for (const [name, values] of results) show(name, values, `of ${values.length}`);
}

const part = option('part', '');
if (part === '') await main();
else {
  const result = await PARTS[part as PartName](option('dir', ''));
  process.send?.(result, () => process.disconnect());
}
