import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLogger } from '../../src/common/logger.ts';
import type { FrameJob } from '../../src/inference/frame-job.ts';
import { type Delivery, type FrameQueue, newQueueCounts } from '../../src/inference/frame-queue.ts';
import { Intake } from '../../src/inference/intake.ts';
import { PoisonFolder } from '../../src/inference/poison-folder.ts';
import { Routes } from '../../src/inference/routes.ts';
import { temporaryFolder } from '../support/server.ts';
import { until } from '../support/wait.ts';
import { imageOf, jpegs } from './pictures.ts';

/** A queue in memory that has no place for dead letters: what becomes of each message is in `fates`. */
class Messages implements FrameQueue {
  readonly what = 'a queue in memory';
  readonly counts = newQueueCounts();
  readonly fates: string[] = [];
  waiting: { id: string; bytes: Uint8Array; receives: number }[] = [];
  asked = 0;

  receive(max: number, signal: AbortSignal): Promise<readonly Delivery[]> {
    this.asked += 1;
    const taken = this.waiting.splice(0, max).map(({ id, bytes, receives }): Delivery => {
      const say = (fate: string) => void this.fates.push(`${id} ${fate}`);
      return {
        ...{ id, receives, open: async () => bytes },
        accept: () => say('accepted'),
        release: (delayMs) => say(`released for ${delayMs}`),
        bury: async () => false,
      };
    });
    if (taken.length > 0) return Promise.resolve(taken);
    return sleep(20, [], { signal }).catch(() => []);
  }
  backlog(): Promise<number> {
    return Promise.resolve(this.waiting.length);
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
}

test('every message gets one fate, nothing is received without room', async (context) => {
  await using folder = await temporaryFolder();
  const queue = new Messages();
  const jobs: FrameJob[] = [];
  let hasRoom = false;
  const intake = new Intake({
    queue,
    routes: new Routes([{ model: 'a' }, { model: 'b' }]),
    submit: (_model, job) => jobs.push(job),
    hasRoom: () => hasRoom,
    poison: new PoisonFolder(join(folder.path, 'poison'), 1_000_000),
    limits: {
      ...{ maxFrames: 4, maxBytes: 1_000_000, maxPixels: 10_000, maxReceives: 3 },
      ...{ claimAgeMs: 1000, rememberFrames: 100, batch: 10, receivers: 2 },
    },
    logger: createLogger({ level: 'error' }),
  });
  context.after(() => intake.stop(1000));
  const [data] = await jpegs(1);
  const message = (id: string, sequence: number, receives = 1) => ({
    ...{ id, receives, bytes: imageOf({ sequence, data: data! }).payload },
  });
  const broken = (id: string, receives: number) => ({ id, receives, bytes: Buffer.from('?') });
  queue.waiting = [1, 2, 3, 4, 5, 6].map((sequence) => message(`m${sequence}`, sequence));
  intake.start();
  assert.equal(queue.asked, 0);
  hasRoom = true;
  await until('as many as may be worked on', 5_000, () => intake.working.frames === 4);
  assert.equal(queue.waiting.length, 2);

  const [first, again, later, bad] = [1, 1, 2, 3].map((sequence) =>
    jobs.find(({ frame }) => frame.sequence === sequence),
  );
  first!.done('a');
  assert.deepEqual(queue.fates, [], 'the other model has not looked at it');
  again!.done('b');
  later!.end({ kind: 'later', delayMs: 7 });
  bad!.end({ kind: 'poison', reason: 'it is bad' });
  await until('three have a fate', 5_000, () => queue.fates.length === 3);
  assert.deepEqual(queue.fates.toSorted(), ['m1 accepted', 'm2 released for 7', 'm3 accepted']);
  assert.equal((await readdir(join(folder.path, 'poison'))).length, 2, 'its bytes and its reason');

  await until('the next have come', 5_000, () => jobs.some(({ frame }) => frame.sequence === 6));
  const finish = (sequences: readonly number[]): void => {
    const chosen = jobs.filter(({ frame }) => sequences.includes(frame.sequence));
    for (const job of chosen) for (const model of ['a', 'b']) job.done(model);
  };
  finish([4]);
  queue.fates.length = 0;
  // Known, being worked on, not to be used yet, and not to be used for good.
  queue.waiting = [message('m1b', 1), message('m6b', 6), broken('x1', 1), broken('x3', 3)];
  await until('three of them have a fate', 5_000, () => queue.fates.length === 3);
  assert.deepEqual(queue.fates.toSorted(), ['m1b accepted', 'x1 released for 1000', 'x3 accepted']);
  finish([5, 6]);
  assert.deepEqual(queue.fates.slice(3).toSorted(), ['m5 accepted', 'm6 accepted', 'm6b accepted']);
  const { done, duplicates, poison, postponed, refused } = intake.counts;
  assert.deepEqual([done, duplicates, poison, postponed, refused], [4, 2, 2, 1, 1]);
  assert.equal(await intake.stop(1000), true);
  assert.equal(intake.working.frames, 0);
});
