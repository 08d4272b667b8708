import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { DesiredStreams } from '../../src/fleet/desired-streams.ts';
import { SqliteFleetStore } from '../../src/fleet/stores/sqlite.ts';
import { fleetStatus } from '../../src/services/fleet/status.ts';
import { FleetServers } from '../support/fleet-servers.ts';

const LEASE = { leaseMs: 3_000, beatMs: 500, marginMs: 1_000, pollMs: 300 };

// `npm run soak -- fleet` has the rest: stops, leaving, receivers, DynamoDB, the times of the product.
/** A camera that is switched off: it needs none. */
const OFF = {
  enabled: false,
  source: { type: 'rtsp', url: 'rtsp://127.0.0.1:9/', username: 'viewer', password: 'hush-hush' },
};

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

  const config = join(dirname(fleet.file), 'status.json');
  const store = { type: 'sqlite', file: fleet.file };
  await writeFile(config, JSON.stringify({ dataDir: 'none', fleet: { node: 'desk', store } }));
  const lines: string[] = [];
  await fleetStatus({ config }, (line) => lines.push(line));
  assert.match(lines[0]!, /assigner: box-2$/);
  assert.match(lines.join('\n'), /box-1 +released +0 streams/);
  assert.match(lines.join('\n'), /box-2 +held +2 streams/);
  for (const id of owned.get('box-1')!) {
    assert.match(lines.join('\n'), new RegExp(`${id} +assigned +box-2, epoch 2`));
  }

  const server = fleet.server('box-2');
  const put = (spec: object, headers: Record<string, string>) =>
    fetch(`${server.url}/v1/fleet/streams/off`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(spec),
    });
  const made = await put(OFF, { 'if-none-match': '*' });
  assert.equal(made.status, 201, await made.clone().text());
  const etag = made.headers.get('etag')!;
  const { spec } = (await made.json()) as { spec: typeof OFF };
  assert.equal(spec.source.password, '***');
  const changed = { ...spec, source: { ...spec.source, username: 'guard' } };
  assert.equal((await put(changed, { 'if-match': etag })).status, 200);
  assert.equal((await put(changed, { 'if-match': etag })).status, 412, 'it was changed since');
  const { items } = await server.json<{ items: { id: string }[] }>('/v1/fleet/streams');
  assert.deepEqual(
    items.map(({ id }) => id),
    [...fleet.streams, 'off'],
  );
  const registry = new SqliteFleetStore(fleet.file);
  const kept = (await new DesiredStreams(registry).get('off'))?.spec as unknown as typeof OFF;
  await registry.close();
  assert.equal(kept.source.password, OFF.source.password, 'the secret was kept');
  assert.equal(kept.source.username, 'guard');
});
