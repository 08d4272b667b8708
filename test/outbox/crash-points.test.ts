import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { metricsOf } from '../support/outbox-metrics.ts';
import { compiledFile } from '../support/programs.ts';
import { linesOf } from './crash-support.ts';
import { ALL, ackAll, assertConserved, openOutbox, temporaryDir, until } from './helpers.ts';
import { compileShim, HAS_COMPILER } from './shims.ts';

// F2: a kill at one exact call instead of at random, as the shim names it.

const CHILD = await compiledFile('test/outbox/children/crash-point.ts');

const POINTS = {
  'after a file of blobs has its name and before their rows exist': 'rename:11',
  'after the rows are gone and before their blobs are': 'unlink:1',
} as const;

for (const [what, point] of Object.entries(POINTS)) {
  test(`a kill ${what} leaves no orphan and no dangling row`, {
    skip: HAS_COMPILER ? false : 'this machine has no C compiler for the shim',
  }, async (context) => {
    const dir = temporaryDir(context);
    const root = join(dir, 'outbox');
    const child = fork(CHILD, [dir], {
      execArgv: [],
      env: {
        ...process.env,
        ...{ LD_PRELOAD: compileShim(dir, 'fault-shim'), SHIM_ROOT: root, SHIM_KILL: point },
      },
    });
    const [, signal] = (await once(child, 'exit')) as [number, string];
    assert.equal(signal, 'SIGKILL', 'it is killed where the shim says');
    const durable = linesOf(join(dir, 'durable'));
    const delivered = linesOf(join(dir, 'delivered'));
    const before = readdirSync(join(root, 'blobs')).length;

    const sinks = [{ id: 'log', kinds: ['image'] }] as const;
    const outbox = await openOutbox(context, { dir: root, sinks });
    const left = await outbox.read('log', ALL);
    const files = readdirSync(join(root, 'blobs'));
    assert.ok(files.length < before, 'the kill left files without a row');
    assert.deepEqual(
      files.sort(),
      left
        .filter((_, index) => index % 3 === 0)
        .map(({ seq }) => `${seq}.blob`)
        .sort(),
      'a file for the three of each commit',
    );
    const there = new Set([...left.map(({ recordId }) => recordId), ...delivered]);
    assert.deepEqual(
      durable.filter((id) => !there.has(id)),
      [],
    );
    for (const { atMs, payload } of left) {
      assert.ok(
        payload.every((byte) => byte === atMs),
        'the bytes it had',
      );
    }
    ackAll(outbox, 'log', left);
    const counts = outbox.countsOf('log');
    assertConserved(counts);
    assert.deepEqual([counts.pending, counts.shedByReason['corrupt']], [0, undefined]);
    const metrics = await metricsOf(outbox);
    const dropped = ['outbox_records_dropped_total', 'outbox_corrupt_records_total'].map((name) =>
      metrics(name),
    );
    assert.deepEqual(dropped, [0, 0]);
    await until(
      async () => (await metricsOf(outbox))('outbox_bytes') === 0,
      'no orphan takes room',
    );
  });
}
