import { mkdtempSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OutboxRecord, Sink } from '../../src/common/delivery.ts';
import { frameToJson } from '../../src/metadata/frame.ts';
import type { FileSinkSpec } from '../../src/sinks/file/spec.ts';
import { encodeDelimited } from '../../src/sinks/format/length-delimited.ts';
import type { LoopPauses } from '../support/loop-watch.ts';
import { compare, frames, measured, median, option, pausesText, sinkOf, worst } from './harness.ts';

// Local files, synced before the acknowledgement: the sink alone, and behind the outbox beside a plain loop that encodes as many
// records at a time, appends them to one file and syncs it.
//   node --import tsx bench/delivery/file.ts [--records 100000] [--rounds 5] [--format ndjson]

type Format = FileSinkSpec['formats'][number];

const BATCH = 4000;
const root = mkdtempSync(join(tmpdir(), 'sightline-bench-files-'));
let made = 0;

const encoders: Partial<Record<Format, (records: readonly OutboxRecord[]) => Uint8Array>> = {
  protobuf: (records) => encodeDelimited(records.map(({ payload }) => payload)),
  ndjson: (records) =>
    Buffer.from(records.map(({ payload }) => `${JSON.stringify(frameToJson(payload))}\n`).join('')),
};

function bare(format: Format): (records: readonly OutboxRecord[]) => Promise<void> {
  return async (records) => {
    const handle = await open(join(root, `bare-${made++}`), 'w');
    for (let at = 0; at < records.length; at += BATCH) {
      await handle.write(encoders[format]!(records.slice(at, at + BATCH)));
      await handle.datasync();
    }
    await handle.close();
  };
}

function sink(format: Format): Promise<Sink> {
  return sinkOf({
    ...{ id: 'a', type: 'file', required: true, kinds: ['frame'], formats: [format] },
    ...{ maxFileBytes: 64 * 1024 * 1024, maxFileAgeMs: 3_600_000, maxWaitMs: 200 },
    dir: join(root, `sink-${made++}`),
  });
}

/** The sink without an outbox before it: what it makes durable in a second. */
async function alone(format: Format): Promise<void> {
  const rounds = option('rounds', 5);
  const count = option('records', 100_000);
  const rates: number[] = [];
  const cpu: number[] = [];
  const main: number[] = [];
  const pauses: LoopPauses[] = [];
  for (let run = 0; run <= rounds; run++) {
    const batch = frames(count, run).map((record, seq) => ({ ...record, seq }));
    const files = await sink(format);
    await files.deliver(batch.slice(0, 1), { signal: new AbortController().signal });
    const round = await measured(count, async () => {
      for (let at = 0; at < count; at += BATCH) {
        const results = await files.deliver(batch.slice(at, at + BATCH), {
          signal: new AbortController().signal,
        });
        if (results.some(({ status }) => status !== 'accepted')) throw new Error('not accepted');
      }
    });
    await files.close();
    if (run === 0) continue;
    rates.push(round.perSecond);
    cpu.push(round.cpuMicros);
    main.push(round.mainMicros);
    pauses.push(round.pauses);
  }
  const text = rates.map((rate) => Math.round(rate).toLocaleString('en')).join(', ');
  console.log(
    `files, ${format}, the sink alone: median ${Math.round(median(rates)).toLocaleString('en')}/s (${text}); CPU us/record ${median(cpu).toFixed(1)} (main ${median(main).toFixed(1)}); longest loop pause ms ${pausesText(worst(pauses))}`,
  );
}

const at = process.argv.indexOf('--format');
const formats: readonly Format[] =
  at === -1 ? ['protobuf', 'ndjson'] : [process.argv[at + 1] as Format];
try {
  for (const format of formats) {
    await alone(format);
    await compare({
      ...{ name: `files, ${format}`, records: 100_000 },
      sink: () => sink(format),
      bare: bare(format),
    });
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}
