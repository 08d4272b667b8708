import assert from 'node:assert/strict';
import { type ChildProcess, fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { metricsOf } from '../support/outbox-metrics.ts';
import { compiledFile } from '../support/programs.ts';
import { assertLinesInOrder, linesOf } from './crash-support.ts';
import { ALL, ackAll, assertConserved, openOutbox, record, temporaryDir } from './helpers.ts';
import { compileShim, HAS_COMPILER } from './shims.ts';

// A model of a power cut: all that was not synced is gone. children/fsync-shim.c says what it does not model.

const ROUNDS = Number(process.env['SIGHTLINE_POWER_ROUNDS'] ?? 8);
const SKIP = HAS_COMPILER ? false : 'this machine has no C compiler for the shim';

/** The disk as the last syncs left it. */
class DurableDisk {
  readonly root: string;
  readonly shadow: string;

  constructor(dir: string) {
    this.root = join(dir, 'outbox');
    this.shadow = join(dir, 'shadow');
    mkdirSync(this.root);
  }

  /** Takes all that is there now for durable. */
  begin(): void {
    rmSync(this.shadow, { recursive: true, force: true });
    mkdirSync(join(this.shadow, 'content'), { recursive: true });
    mkdirSync(join(this.shadow, 'names'));
    this.#keep(this.root);
  }

  /** Puts back what is durable. */
  cutPower(): void {
    const kept = `${this.root}.kept`;
    this.#restore(String(statSync(this.root).ino), kept);
    rmSync(this.root, { recursive: true });
    spawnSync('mv', [kept, this.root]);
  }

  #keep(folder: string): void {
    const lines = readdirSync(folder, { withFileTypes: true }).map((entry) => {
      const path = join(folder, entry.name);
      const inode = statSync(path).ino;
      if (entry.isDirectory()) this.#keep(path);
      else copyFileSync(path, join(this.shadow, 'content', String(inode)));
      return `${inode} ${entry.name}\n`;
    });
    writeFileSync(join(this.shadow, 'names', String(statSync(folder).ino)), lines.join(''));
  }

  #restore(inode: string, target: string): void {
    mkdirSync(target);
    for (const line of linesOf(join(this.shadow, 'names', inode))) {
      const [id, name] = line.split(' ') as [string, string];
      const path = join(target, name);
      const content = join(this.shadow, 'content', id);
      if (existsSync(join(this.shadow, 'names', id))) this.#restore(id, path);
      else if (existsSync(content)) copyFileSync(content, path);
      else writeFileSync(path, '');
    }
  }
}

function start(
  script: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): ChildProcess {
  return fork(script, args, { execArgv: [], env: { ...process.env, ...env } });
}

async function workUntilCut(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  await Promise.race([once(child, 'message'), exited]);
  await Promise.race([delay(50 + Math.random() * 200), exited]);
  assert.equal(child.exitCode, null, 'the child must not end by itself');
  child.kill('SIGKILL');
  await exited;
}

test(`power cut ${ROUNDS} times: what was flushed is there, with the bytes it had`, {
  skip: SKIP,
}, async (context: TestContext) => {
  const dir = temporaryDir(context);
  const script = await compiledFile('test/outbox/children/crash.ts');
  const disk = new DurableDisk(dir);
  const env = {
    LD_PRELOAD: compileShim(dir, 'fsync-shim'),
    SHIM_ROOT: disk.root,
    SHIM_SHADOW: disk.shadow,
  };
  for (let round = 0; round < ROUNDS; round++) {
    disk.begin();
    await workUntilCut(start(script, [dir, String(round)], env));
    disk.cutPower();
  }
  const outbox = await openOutbox(context, {
    dir: disk.root,
    sinks: [{ id: 'log', kinds: ['frame', 'image'] }],
  });
  const arrived = new Set(linesOf(join(dir, 'delivered')));
  for (;;) {
    const rest = await outbox.read('log', ALL);
    if (rest.length === 0) break;
    for (const { recordId, payload } of rest) {
      arrived.add(`${recordId} ${payload.byteLength} ${payload[0]}`);
    }
    ackAll(outbox, 'log', rest);
  }
  const promised = linesOf(join(dir, 'durable'));
  assert.ok(promised.length > 50, `${promised.length} durable records`);
  assert.deepEqual(
    promised.filter((line) => !arrived.has(line)),
    [],
  );
  const counts = outbox.countsOf('log');
  assertConserved(counts);
  assert.deepEqual(counts.shedByReason, {}, 'nothing is there by half');
  assert.equal((await metricsOf(outbox))('outbox_corrupt_records_total'), 0);
  assertLinesInOrder(arrived);
  context.diagnostic(`${promised.length} durable, ${arrived.size} arrived`);
});

test('a disk that takes half a second a sync holds up nobody, and the figures show it', {
  skip: SKIP,
}, async (context) => {
  const dir = temporaryDir(context);
  const script = await compiledFile('test/outbox/children/slow-disk.ts');
  const env = { LD_PRELOAD: compileShim(dir, 'fsync-shim'), SHIM_DELAY_MS: '500' };
  const child = start(script, [join(dir, 'outbox')], env);
  const [report] = (await once(child, 'message')) as [
    Record<'maxAppendMs' | 'maxPauseMs' | 'slowCommits' | 'stored' | 'dropped', number>,
  ];
  assert.ok(report.maxAppendMs < 200, `an append took ${report.maxAppendMs} ms`);
  assert.ok(report.maxPauseMs < 400, `the event loop stood for ${report.maxPauseMs} ms`);
  assert.ok(report.slowCommits >= 1, 'commits of half a second and more are counted');
  assert.deepEqual([report.stored, report.dropped], [200, 0]);
});

test('a flip of any byte of the stored records costs only what is counted', async (context) => {
  const dir = temporaryDir(context);
  const sinks = [{ id: 'a', kinds: ['frame'] }] as const;
  const first = await openOutbox(context, { dir, sinks });
  const count = 300;
  for (let index = 0; index < count; index++) {
    first.append(record(index, { payload: Buffer.alloc(500, index % 251) }));
    if (index % 10 === 9) await first.flushed();
  }
  await first.close();
  const file = join(dir, 'journal.db');
  const intact = readFileSync(file);
  let lost = 0;
  for (let flip = 0; flip < 12; flip++) {
    const bytes = Buffer.from(intact);
    // The records lie behind the pages of tables that are small.
    const at = 80_000 + Math.floor(((bytes.length - 80_000) * flip) / 12);
    bytes[at]! ^= 0x10;
    writeFileSync(file, bytes);
    const outbox = await openOutbox(context, { dir, sinks });
    const left = await outbox.read('a', ALL);
    for (const { atMs, payload } of left) {
      assert.ok(
        payload.every((byte) => byte === (atMs - 1000) % 251),
        'never a damaged record',
      );
    }
    const counts = outbox.countsOf('a');
    assertConserved(counts);
    assert.equal(left.length + counts.shed, count, `byte ${at}`);
    const metrics = await metricsOf(outbox);
    assert.equal(metrics('outbox_corrupt_records_total'), counts.shed);
    const told = metrics('outbox_records_dropped_total', { sink: 'a', reason: 'corrupt' });
    assert.equal(told, counts.shed);
    lost += counts.shed;
    await outbox.close();
  }
  assert.ok(lost > 0);
});
