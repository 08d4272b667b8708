import assert from 'node:assert/strict';
import {
  FleetServers,
  type FleetServersOptions,
  type Moved,
} from '../../test/support/fleet-servers.ts';
import { Moto, noMoto } from '../../test/support/moto.ts';
import { SerialProxy } from '../../test/support/serial-proxy.ts';
import { until } from '../../test/support/wait.ts';
import { type Soak, summary } from './report.ts';

/** Within this the cameras of a lost box run elsewhere. */
const LOST_MS = 20_000;
const LIMIT_MS = 120_000;
type Fault = 'kill' | 'stop the server' | 'stop the box' | 'leave';

/**
 * Boxes of a fleet are killed, stopped and told to leave, one after the other, half of the time with their leases in
 * SQLite and half in DynamoDB: cameras move within 20 s, and nothing comes from a former owner that was captured after
 * it was stopped.
 */
export const fleet: Soak = async ({ minutes, print }) => {
  print('three servers with a detector, SQLite');
  await faults({ boxes: 3, streams: 9, command: 'serve', limitMs: LIMIT_MS }, minutes / 2, print);
  if (noMoto !== false) throw new Error(`DynamoDB was not tried: ${noMoto}`);
  print('three receivers that record, DynamoDB');
  const moto = await Moto.start();
  try {
    // moto holds no condition of writes that come at once.
    await using way = await SerialProxy.start(moto.client.endpoint);
    const credentials = { accessKeyId: 'box', secretAccessKey: 'box' };
    const store = {
      ...{ type: 'dynamodb', table: 'sightline-fleet', createTable: true },
      ...{ endpoint: way.url, region: 'us-east-1', credentials },
    };
    const options = { boxes: 3, streams: 9, command: 'receive', store, limitMs: LIMIT_MS } as const;
    await faults(options, minutes / 2, print);
  } finally {
    await moto.close();
  }
};

async function faults(
  options: FleetServersOptions,
  minutes: number,
  print: (line: string) => void,
): Promise<void> {
  await using world = await FleetServers.start(options);
  const times = new Map<Fault, number[]>();
  let late = 0;
  let refused = 0;
  const doOne: Readonly<Record<Fault, (name: string) => Promise<Moved>>> = {
    kill: async (name) => {
      const moved = await world.kill(name);
      await world.join(name);
      return moved;
    },
    'stop the server': async (name) => {
      const moved = await world.stopAndGoOn(name, true);
      // Its workers went on, and what they wrote waited for it.
      assert.ok(moved.refused > 0, 'it refused nothing');
      refused += moved.refused;
      late += moved.late.length;
      return moved;
    },
    'stop the box': async (name) => {
      const moved = await world.stopAndGoOn(name, false);
      refused += moved.refused;
      late += moved.late.length;
      return moved;
    },
    leave: async (name) => {
      const moved = await world.leave(name);
      await world.join(name);
      return moved;
    },
  };
  const endMs = performance.now() + minutes * 60_000;
  for (let round = 0; round === 0 || performance.now() < endMs; round += 1) {
    for (const [index, fault] of (Object.keys(doOne) as Fault[]).entries()) {
      const name = `box-${1 + ((round + index) % options.boxes)}`;
      await everyBoxHasSome(world);
      const leads = (await world.view()).leader === name;
      const moved = await doOne[fault](name);
      const took = moved.eachMs.map((ms) => (ms / 1_000).toFixed(1)).join(' ');
      print(
        `  ${fault} ${name}${leads ? ', the assigner' : ''}: ${moved.streams} cameras after ${took} s`,
      );
      times.set(fault, [...(times.get(fault) ?? []), ...moved.eachMs]);
    }
  }
  for (const [fault, each] of times)
    print(`  ${fault}: ms until a camera ran again: ${summary(each)}`);
  const { accepted, stale } = world.consumer;
  print(`  ${accepted.length} records accepted, ${stale.length} refused by the consumer as stale`);
  print(`  ${refused} refused by boxes that were stopped, ${late} of after a stop got out`);
  assert.equal(late, 0, 'a former owner put out what was captured after it was stopped');
  for (const fault of ['kill', 'stop the server', 'stop the box'] as const) {
    assert.ok(Math.max(...times.get(fault)!) <= LOST_MS, `${fault}: later than ${LOST_MS} ms`);
  }
  assert.ok(
    Math.max(...times.get('leave')!) < 10_000,
    'somebody waited for the lease of one that left',
  );
}

/** A box that came gets streams from the others, one after the other. */
async function everyBoxHasSome(world: FleetServers): Promise<void> {
  await until('every box runs something, and nothing is on its way', LIMIT_MS, async () => {
    const { assignments } = await world.view();
    const owned = await world.owned();
    return (
      assignments.every(({ state }) => state === 'assigned') &&
      [...owned.values()].every((streams) => streams.length > 0)
    );
  });
}
