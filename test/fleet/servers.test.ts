import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FleetServers } from '../support/fleet-servers.ts';

const LEASE = { leaseMs: 3_000, beatMs: 500, marginMs: 1_000, pollMs: 300 };

// `npm run soak -- fleet` has the rest: stops, leaving, receivers, DynamoDB, the times of the product.
test('servers share streams: each runs once, and those of a server that is killed start on another', async () => {
  await using fleet = await FleetServers.start({
    ...{ boxes: 2, streams: 2, command: 'serve', lease: LEASE, limitMs: 30_000 },
  });
  const { consumer } = fleet;
  const owned = await fleet.owned();
  const shares = [...owned.values()].map(({ length }) => length);
  assert.deepEqual(shares, [1, 1]);
  assert.deepEqual([...owned.values()].flat().sort(), fleet.streams, 'each has one owner');
  for (const [box, streams] of owned) {
    const came = consumer.accepted.filter(({ streamId }) => streams.includes(streamId));
    assert.ok(came.every((record) => record.box === box && record.epoch === 1));
  }

  const { eachMs } = await fleet.kill('box-1');
  const earliest = LEASE.leaseMs - LEASE.beatMs - LEASE.pollMs;
  assert.ok(Math.min(...eachMs) >= earliest, 'it may have been alive until then');
  assert.deepEqual((await fleet.owned()).get('box-2')!.toSorted(), fleet.streams);
  assert.deepEqual(
    owned.get('box-1')!.map((id) => consumer.epochs().get(id)),
    [2],
    'with a higher epoch',
  );
  assert.equal(consumer.fence.stale, 0);
});
