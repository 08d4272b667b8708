import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { DesiredStreams } from '../../src/fleet/desired-streams.ts';
import { HeldLease } from '../../src/fleet/held-lease.ts';
import { LeaseObserver } from '../../src/fleet/lease-observer.ts';
import { type FleetStore, type LeaseRow, MAX_BODY_BYTES } from '../../src/fleet/store.ts';

const STALE = { code: 'SL_PRECONDITION_FAILED' };
const TIMES = { leaseMs: 10_000, beatMs: 3_000, marginMs: 2_000 };

/** A clock that stands until it is moved. */
export class HandClock {
  ms = 1_000;
  readonly nowMs = (): number => this.ms;
}

function claim(owner: string, more: { version?: string; expired?: string } = {}) {
  return { owner, version: randomUUID(), durationMs: 10_000, data: '{}', ...more };
}

/**
 * What every store of a fleet must do, whatever it is made of. `open` gives two handles on one store, as two processes
 * have them.
 */
export function conformance(
  name: string,
  open: () => Promise<{ a: FleetStore; b: FleetStore; close: () => Promise<void> }>,
  options: { skip?: string | false } = {},
): void {
  describe(name, { skip: options.skip ?? false }, () => {
    const check = (what: string, work: (a: FleetStore, b: FleetStore) => Promise<void>) =>
      test(what, async () => {
        const { a, b, close } = await open();
        try {
          await work(a, b);
        } finally {
          await close();
        }
      });

    check('a lease has one holder; the others are told who', async (a, b) => {
      const key = `node/${randomUUID()}`;
      assert.equal(await a.lease(key), undefined);
      const first = await a.acquire(key, claim('one', { version: 'v1' }));
      assert.ok(first.done);
      const expected: LeaseRow = {
        ...{ key, owner: 'one', version: 'v1', durationMs: 10_000, token: 1, data: '{}' },
      };
      assert.deepEqual(first.lease, expected);
      assert.deepEqual(await b.lease(key), expected);
      assert.deepEqual(await b.acquire(key, claim('two')), { done: false, current: expected });
      const wrong = await b.acquire(key, claim('two', { expired: 'v0' }));
      assert.deepEqual(wrong, { done: false, current: expected }, 'a version of before');
    });

    check('a renewal needs the version it had, and gives a new one', async (a, b) => {
      const key = `node/${randomUUID()}`;
      await a.acquire(key, claim('one', { version: 'v1' }));
      const renewed = await a.renew(key, { version: 'v1', next: 'v2', data: '{"used":1}' });
      assert.ok(renewed.done);
      assert.deepEqual(
        [renewed.lease.version, renewed.lease.token, renewed.lease.owner, renewed.lease.data],
        ['v2', 1, 'one', '{"used":1}'],
      );
      const stale = await b.renew(key, { version: 'v1', next: 'v3', data: '' });
      assert.equal(stale.done, false);
      assert.equal(!stale.done && stale.current?.version, 'v2', 'the winner’s row');
      const none = await a.renew('node/none', { version: 'v1', next: 'v2', data: '' });
      assert.deepEqual(none, { done: false, current: undefined });
      assert.equal(await a.lease('node/none'), undefined, 'a renewal makes nothing');
    });

    check(
      'a version that was watched long enough is taken, and its holder finds out',
      async (a, b) => {
        const key = `node/${randomUUID()}`;
        await a.acquire(key, claim('one', { version: 'v1' }));
        const taken = await b.acquire(key, claim('two', { version: 'w1', expired: 'v1' }));
        assert.ok(taken.done);
        assert.equal(taken.lease.token, 2);
        const late = await a.renew(key, { version: 'v1', next: 'v2', data: '' });
        assert.equal(!late.done && late.current?.owner, 'two');
        const again = await a.acquire(key, claim('one', { expired: 'v1' }));
        assert.equal(again.done, false);
      },
    );

    check(
      'of many that take a free lease at once one gets it, and tokens never fall',
      async (a, b) => {
        const key = `node/${randomUUID()}`;
        await a.acquire(key, claim('zero', { version: 'v1' }));
        const freed = await b.release(key, { version: 'v1', next: 'v2' });
        assert.equal(freed.done && freed.lease.owner, '');
        assert.equal((await a.release(key, { version: 'v1', next: 'x' })).done, false);
        const many = Array.from({ length: 12 }, (_, index) =>
          (index % 2 ? a : b).acquire(key, claim(`n${index}`)),
        );
        const winners = (await Promise.all(many)).filter(({ done }) => done);
        assert.equal(winners.length, 1);
        assert.equal((await a.lease(key))?.token, 2);
      },
    );

    check('of many that take over an expired lease at once one gets it', async (a, b) => {
      const key = `node/${randomUUID()}`;
      await a.acquire(key, claim('zero', { version: 'v1' }));
      const many = Array.from({ length: 12 }, (_, index) =>
        (index % 2 ? a : b).acquire(key, claim(`n${index}`, { expired: 'v1' })),
      );
      assert.equal((await Promise.all(many)).filter(({ done }) => done).length, 1);
    });

    check('leases are listed by key', async (a, b) => {
      for (const key of ['node/b', 'assigner', 'node/a']) await a.acquire(key, claim('one'));
      const keys = (await b.leases()).map(({ key }) => key);
      assert.deepEqual(keys, ['assigner', 'node/a', 'node/b']);
    });

    check('documents change by compare-and-set', async (a, b) => {
      assert.equal(await a.document('streams', 'cam'), undefined);
      assert.deepEqual(await a.put('streams', 'cam', 'one', 0), { done: true, version: 1 });
      const current = { id: 'cam', version: 1, body: 'one' };
      assert.deepEqual(await b.put('streams', 'cam', 'two', 0), { done: false, current });
      assert.deepEqual(await b.put('streams', 'cam', 'two', 1), { done: true, version: 2 });
      assert.deepEqual(await a.put('streams', 'cam', 'three', 1), {
        done: false,
        current: { id: 'cam', version: 2, body: 'two' },
      });
      assert.equal((await a.put('streams', 'none', 'x', 3)).done, false);
      assert.equal((await b.remove('streams', 'cam', 1)).done, false);
      await a.put('streams', 'bus', 'b', 0);
      await a.put('other', 'cam', 'o', 0);
      const listed = (await b.documents('streams')).map(({ id, body }) => [id, body]);
      assert.deepEqual(listed, [
        ['bus', 'b'],
        ['cam', 'two'],
      ]);
      assert.deepEqual(await b.remove('streams', 'cam', 2), { done: true, version: 2 });
      assert.equal(await a.document('streams', 'cam'), undefined);
    });

    check('of many changes of one version one is made', async (a, b) => {
      await a.put('assign', '0', 'zero', 0);
      const many = Array.from({ length: 12 }, (_, index) =>
        (index % 2 ? a : b).put('assign', '0', String(index), 1),
      );
      assert.equal((await Promise.all(many)).filter(({ done }) => done).length, 1);
      assert.equal((await a.document('assign', '0'))?.version, 2);
    });

    check('a large document is kept whole, one too large is refused', async (a, b) => {
      const body = 'ä'.repeat(MAX_BODY_BYTES / 2);
      for (const id of ['1', '2', '3', '4']) await a.put('assign', id, body, 0);
      const read = await b.documents('assign');
      assert.deepEqual(
        read.map(({ body: text }) => text.length),
        Array(4).fill(body.length),
      );
      await assert.rejects(a.put('assign', '5', `${body}ä`, 0), { code: 'SL_REQUEST_INVALID' });
    });

    check(
      'streams are a registry: conditional changes, generations that never come again',
      async (a, b) => {
        const one = new DesiredStreams(a);
        const other = new DesiredStreams(b);
        const made = await one.put('cam', { v: 1 }, { create: true });
        assert.equal(made.created, true);
        await assert.rejects(other.put('cam', { v: 2 }, { create: true }), STALE);
        const changed = await other.put('cam', { v: 2 }, { generation: made.generation });
        assert.ok(changed.generation > made.generation);
        await assert.rejects(one.put('cam', { v: 3 }, { generation: made.generation }), STALE);
        await assert.rejects(one.remove('cam', { generation: made.generation }), STALE);
        assert.deepEqual(await one.put('cam', { v: 2 }), { ...changed, created: false });
        const revision = await one.revision();
        assert.equal(await one.remove('cam', { generation: changed.generation }), true);
        assert.equal(await one.remove('cam'), false);
        await assert.rejects(one.put('cam', {}, { generation: changed.generation }), STALE);
        const again = await other.put('cam', { v: 4 });
        assert.ok(again.generation > changed.generation, 'it is another stream');
        assert.ok((await one.revision()) > revision);
        const { generation } = again;
        assert.deepEqual(await one.list(), [{ id: 'cam', generation, spec: { v: 4 } }]);
        assert.deepEqual(await one.get('cam'), { id: 'cam', generation, spec: { v: 4 } });
      },
    );

    check('a holder whose answer was lost knows its own version again', async (a) => {
      const clock = new HandClock();
      const key = `node/${randomUUID()}`;
      let lose = false;
      const store: FleetStore = new Proxy(a, {
        get: (target, name) => {
          const value = Reflect.get(target, name) as unknown;
          if (typeof value !== 'function') return value;
          return async (...args: unknown[]) => {
            const answer = await value.apply(target, args);
            if (lose) throw new Error('the answer was lost');
            return answer;
          };
        },
      });
      const lease = new HeldLease({ store, clock, key, owner: 'one', times: TIMES });
      assert.equal(await lease.acquire('{}'), true);
      clock.ms += 3_000;
      lose = true;
      await assert.rejects(lease.renew('{}'));
      clock.ms += 3_000;
      lose = false;
      assert.equal(await lease.renew('{}'), true);
      clock.ms += 4_999;
      assert.equal(lease.held, true, 'it counts from when the lost one was sent');
      clock.ms += 1;
      assert.equal(lease.held, false);
      assert.equal(await lease.renew('{}'), true);
      assert.equal(lease.held, true);
    });

    check('holder and challenger never both have it, whatever their clocks say', async (a, b) => {
      const key = `node/${randomUUID()}`;
      const mine = new HandClock();
      const theirs = new HandClock();
      theirs.ms = 77_000_000;
      const pass = (ms: number): void => {
        mine.ms += ms;
        theirs.ms += ms;
      };
      const holder = new HeldLease({ store: a, clock: mine, key, owner: 'one', times: TIMES });
      const observer = new LeaseObserver(theirs);
      const look = async () => observer.look((await b.lease(key))!, theirs.ms);
      await holder.acquire('{}');
      for (let beat = 0; beat < 5; beat++) {
        assert.equal(await look(), false);
        pass(3_000);
        assert.equal(await holder.renew('{}'), true);
      }
      // From here on the holder is stopped.
      assert.equal(await look(), false);
      for (let waited = 0; waited < 9_000; waited += 1_000) {
        pass(1_000);
        assert.equal(await look(), false);
      }
      assert.equal(holder.held, false, 'it fenced itself before');
      pass(1_000);
      assert.equal(await look(), true);
      const seen = (await b.lease(key))!.version;
      assert.ok((await b.release(key, { version: seen, next: randomUUID() })).done);
      assert.equal(holder.held, false);
      assert.equal(await holder.renew('{}'), false);
      assert.equal(holder.claimed, false);
    });
  });
}
