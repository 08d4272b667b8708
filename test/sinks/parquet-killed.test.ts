import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { checkValue } from '../../src/common/check.ts';
import { FileSink } from '../../src/sinks/file/sink.ts';
import { FileSinkSpec } from '../../src/sinks/file/spec.ts';
import { programArgs } from '../support/programs.ts';
import { until } from '../support/wait.ts';

const ROUNDS = Number(process.env['SIGHTLINE_CRASH_ROUNDS'] ?? 3);
const CHILD = programArgs('test/sinks/children/parquet.ts');

/** Runs the child until it has accepted some records, and a random while on; returns the last it accepted. */
async function runAndKill(root: string, first: number): Promise<number> {
  const args = [...CHILD, root, String(first)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const most = 10 + Math.floor(Math.random() * 60);
  let last = first - 1;
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => {
    last = Number(line);
    if (last - first === most) child.kill('SIGKILL');
  });
  await Promise.all([once(child, 'close'), once(lines, 'close')]);
  assert.equal(child.signalCode, 'SIGKILL');
  return last;
}

function namesBelow(root: string, suffix: string): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith(suffix),
  );
}

test(`kill -9 while Parquet is written, ${ROUNDS} times: every accepted frame is in one whole file`, async (context) => {
  const root = mkdtempSync(join(tmpdir(), 'sightline-parquet-'));
  context.after(() => rmSync(root, { recursive: true, force: true }));
  let last = 0;
  for (let round = 0; round < ROUNDS; round++) {
    // The outbox would hand over again what was not acknowledged.
    last = await runAndKill(root, last + 1);
  }
  const spec = { id: 'files', type: 'file', dir: 'unused', formats: ['parquet'] };
  const sink = new FileSink(checkValue(spec, FileSinkSpec), { root });
  context.after(() => sink.close());
  sink.start?.();
  await until('all that was staged became parts', 20_000, () => {
    return namesBelow(root, '.pb').length + namesBelow(root, '.tmp').length === 0;
  });

  const found = new Map<string, Set<string>>();
  for (const name of namesBelow(root, '.parquet')) {
    const file = await asyncBufferFromFile(join(root, name));
    for (const { record_id: id } of await parquetReadObjects({ file })) {
      found.set(String(id), (found.get(String(id)) ?? new Set()).add(name));
    }
  }
  const wanted = Array.from({ length: last }, (_, index) => `cam-1/s1/${index + 1}`);
  assert.deepEqual(
    wanted.filter((id) => !found.has(id)),
    [],
  );
  // One that was written and not acknowledged is there again, in the next part.
  const twice = [...found].filter(([, files]) => files.size > 1).map(([id]) => id);
  assert.ok(twice.length <= ROUNDS, `${twice.length} copies: ${twice.join(', ')}`);
  context.diagnostic(`${last} frames, ${twice.length} copies`);
});
