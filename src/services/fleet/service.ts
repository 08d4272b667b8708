import type { FleetControl } from '../../api/dependencies.ts';
import { checkValue } from '../../common/check.ts';
import type { OutboxRecord } from '../../common/delivery.ts';
import { SightlineError } from '../../common/errors.ts';
import { sealSpec } from '../../control/sealed-spec.ts';
import type { Orchestrator, RecordConsumer } from '../../control/types.ts';
import { FleetAgent } from '../../fleet/agent.ts';
import { BootClock } from '../../fleet/clock.ts';
import { pictureOf } from '../../fleet/fleet-picture.ts';
import type { NodeFence } from '../../fleet/node-fence.ts';
import { withEpoch } from '../../metadata/epoch.ts';
import { Histogram, SECONDS } from '../../outbox/histogram.ts';
import { StreamSpec } from '../../pipeline/spec.ts';
import type { LoadedConfig } from '../config/load.ts';
import { orchestratorHost } from './host.ts';
import { openFleetStore } from './open-store.ts';

/** This server's part in a fleet. */
export interface FleetService {
  readonly control: FleetControl;
  readonly fence: NodeFence;
  /** Joins: asks for the lease in the background, also while the store is away. Once. */
  start(): void;
  /** Ends the fleet's streams here and gives the lease back. Idempotent. */
  close(): Promise<void>;
}

/** Records of fleet streams pass only while the node's lease is held; each gets the epoch of its stream. */
export function fenced(accept: RecordConsumer, fence: () => NodeFence | undefined): RecordConsumer {
  return (records) => {
    const door = fence();
    if (door === undefined) return accept(records);
    const passed = door.pass(records).map(([record, epoch]): OutboxRecord => {
      if (epoch === undefined) return record;
      return { ...record, payload: withEpoch(record.kind, record.payload, epoch) };
    });
    return passed.length === 0 ? undefined : accept(passed);
  };
}

/** Opens the fleet of the configuration; undefined without one. Throws `SL_CONFIG_INVALID`, `SL_UNAVAILABLE`. */
export async function openFleet(
  { config, baseDir }: LoadedConfig,
  orchestrator: Orchestrator,
): Promise<FleetService | undefined> {
  const { fleet } = config;
  if (fleet === undefined) return undefined;
  const store = await openFleetStore(fleet, baseDir);
  const clock = new BootClock();
  const renewals = new Histogram(SECONDS);
  const { node, capacity, candidate, threshold, dampening, restMs, lease } = fleet;
  const agent = new FleetAgent({
    ...{ store, clock, node, candidate, restMs, times: lease },
    settings: { threshold, dampening },
    host: orchestratorHost({ orchestrator, capacity, drainMs: config.drainMs }),
    tell: (type, facts) => orchestrator.events.emit(type, facts),
    onRenewed: (seconds) => renewals.observe(seconds),
  });
  const { desired, fence, leadership } = agent;
  const control: FleetControl = {
    view: async () => ({
      ...{ node, store: store.name, held: agent.held, leads: leadership.leads },
      ...{ leasesLost: agent.lost, recordsRefused: fence.refused },
      ...(agent.trouble === undefined ? {} : { trouble: agent.trouble }),
      ...(await pictureOf(store)),
    }),
    stream: async (id) => {
      const found = await desired.get(id);
      if (found === undefined) throw unknown(id);
      return { id, generation: found.generation, spec: sealSpec(found.spec).open };
    },
    putStream: async (id, spec) => {
      const subject = `stream "${id}" of the fleet`;
      const checked = checkValue({ ...spec, id }, StreamSpec, { subject });
      const { created, generation } = await desired.put(id, checked);
      return { created, view: { id, generation, spec: sealSpec(checked).open } };
    },
    removeStream: async (id) => {
      if (!(await desired.remove(id))) throw unknown(id);
    },
    figures: () => ({
      ...{ node, streams: agent.streams, held: agent.held, lost: agent.lost },
      ...{ refused: fence.refused, moves: leadership.moves, renewals: renewals.view() },
    }),
  };
  return {
    control,
    fence,
    start: () => agent.start(),
    close: async () => {
      await agent.close();
      await store.close();
      clock[Symbol.dispose]();
    },
  };
}

function unknown(id: string): SightlineError {
  return new SightlineError('SL_NOT_FOUND', `There is no stream '${id}' in the fleet`);
}
