import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { EpochFence } from '../../src/common/epoch-fence.ts';
import { ROOT } from '../../src/common/paths.ts';
import { DesiredStreams } from '../../src/fleet/desired-streams.ts';
import type { FleetStore } from '../../src/fleet/store.ts';
import { SqliteFleetStore } from '../../src/fleet/stores/sqlite.ts';
import { stopProcess } from '../support/processes.ts';
import { programArgs } from '../support/programs.ts';
import { temporaryFolder } from '../support/server.ts';
import { until } from '../support/wait.ts';

const CHILD = programArgs('test/fleet/children/box.ts');
const LEASE_MS = 2_500;
const LIMIT_MS = 30_000;

interface Line {
  readonly node: string;
  readonly type?: string;
  readonly streamId?: string;
  readonly epoch?: number;
  readonly refused?: number;
}

/** A box as a process, and what it wrote. */
class Box implements AsyncDisposable {
  readonly lines: Line[] = [];
  readonly child: ChildProcess;

  constructor(name: string, store: string, onLine: (line: Line) => void) {
    this.child = spawn(process.execPath, [...CHILD, name, store], {
      stdio: ['pipe', 'pipe', 'inherit'],
      cwd: ROOT,
    });
    createInterface({ input: this.child.stdout! }).on('line', (text) => {
      const line = JSON.parse(text) as Line;
      this.lines.push(line);
      onLine(line);
    });
  }

  outputs(epoch: number): number {
    return this.lines.filter((line) => line.epoch === epoch).length;
  }

  said(type: string): Line | undefined {
    return this.lines.find((line) => line.type === type);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.kill('SIGCONT');
    this.child.kill('SIGTERM');
    const limit = setTimeout(() => this.child.kill('SIGKILL'), 5_000);
    await gone;
    clearTimeout(limit);
  }
}

/** F26: the owner of a stream is stopped for longer than its lease, and goes on. */
async function stopTheOwner(store: FleetStore, place: string): Promise<void> {
  const fence = new EpochFence();
  const accepted: Line[] = [];
  const take = (line: Line): void => {
    if (line.streamId === undefined || line.epoch === undefined) return;
    if (fence.accepts(line.streamId, line.epoch)) accepted.push(line);
  };
  await new DesiredStreams(store).put('cam', {});
  await using a = new Box('a', place, take);
  await using b = new Box('b', place, take);
  const [owner, other] = await until('one of them runs the stream', LIMIT_MS, () => {
    if (a.outputs(1) > 5) return [a, b] as const;
    return b.outputs(1) > 5 ? ([b, a] as const) : undefined;
  });
  await until('the other has its lease', LIMIT_MS, () => other.said('fleet.lease.acquired'));

  await stopProcess(owner.child.pid!);
  const stoppedMs = performance.now();
  await until('the other takes over with a higher epoch', LIMIT_MS, () => other.outputs(2) > 5);
  assert.ok(performance.now() - stoppedMs >= LEASE_MS - 1_000, 'not before the lease ran out');

  const before = owner.outputs(1);
  owner.child.kill('SIGCONT');
  const lost = await until('it finds its lease lost', LIMIT_MS, () =>
    owner.said('fleet.lease.lost'),
  );
  const again = await until('it has its lease again', LIMIT_MS, () =>
    owner.lines
      .slice(owner.lines.indexOf(lost))
      .find(({ type }) => type === 'fleet.lease.acquired'),
  );
  const seen = other.outputs(2);
  await until('the new owner goes on', LIMIT_MS, () => other.outputs(2) > seen + 20);
  // What its stream wrote meanwhile waited in a pipe, and was refused by its own fence before anything else happened. A
  // stop may hit it between its fence and the pipe: that one is for the reader's fence.
  assert.ok(again.refused! > 0, 'it had something to refuse');
  assert.ok(
    owner.outputs(1) - before <= 1,
    `${owner.outputs(1) - before} outputs after it went on`,
  );
  assert.equal(fence.stale, owner.outputs(1) - before);
  const epochs = accepted.map(({ epoch }) => epoch!);
  assert.deepEqual(
    epochs,
    [...epochs].sort((x, y) => x - y),
    'no lower epoch after a higher one',
  );
}

test('F26: an owner that was stopped puts out nothing when it goes on', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'fleet.sqlite');
  const store = new SqliteFleetStore(file);
  try {
    await stopTheOwner(store, file);
  } finally {
    await store.close();
  }
});
