// A box of a fleet as a process of its own: the real agent, with streams that are child processes which count. What passes
// the fence is written to stdout, a line of JSON each.
//   node --import tsx test/fleet/children/box.ts NAME SQLITE-FILE
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { FleetAgent } from '../../../src/fleet/agent.ts';
import { BootClock } from '../../../src/fleet/clock.ts';
import type { StreamHost } from '../../../src/fleet/hosted-streams.ts';
import { SqliteFleetStore } from '../../../src/fleet/stores/sqlite.ts';

const [node, file] = process.argv.slice(2) as [string, string];
const COUNT = 'let n = 0; setInterval(() => console.log(n++), 10)';

const say = (line: object): void => {
  process.stdout.write(`${JSON.stringify({ node, ...line })}\n`);
};

const streams = new Map<string, ChildProcess>();
const host: StreamHost = {
  start: async (streamId) => {
    const child = spawn(process.execPath, ['-e', COUNT], { stdio: ['ignore', 'pipe', 'inherit'] });
    streams.set(streamId, child);
    createInterface({ input: child.stdout! }).on('line', (line) => {
      for (const [record, epoch] of agent.fence.pass([{ streamId, n: Number(line) }])) {
        say({ ...record, epoch });
      }
    });
  },
  change: async () => undefined,
  stop: async (streamId) => {
    const child = streams.get(streamId);
    if (child === undefined) return;
    streams.delete(streamId);
    child.kill('SIGKILL');
    await once(child, 'close');
  },
  load: () => ({ capacity: 4, used: 0, streams: new Map() }),
};

const store = new SqliteFleetStore(file);
const agent = new FleetAgent({
  ...{ store, clock: new BootClock(), node, host, candidate: true, restMs: 60_000 },
  times: { leaseMs: 2_500, beatMs: 400, marginMs: 800, pollMs: 200 },
  settings: { threshold: 0.1, dampening: 0.6 },
  ...{ detector: true, needsDetector: () => false },
  tell: (type, facts) => say({ type, ...facts, refused: agent.fence.refused }),
});
agent.start();

const end = async (): Promise<void> => {
  await agent.close();
  await store.close();
  process.exit(0);
};
process.once('SIGTERM', () => void end());
// The test is gone.
process.stdin.resume().once('end', () => process.exit(1));
