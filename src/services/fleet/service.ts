import type { FleetControl, FleetStream } from '../../api/dependencies.ts';
import { checkValue } from '../../common/check.ts';
import type { OutboxRecord } from '../../common/delivery.ts';
import { withKeptSecrets } from '../../control/desired/kept-secrets.ts';
import { sealSpec } from '../../control/sealed-spec.ts';
import type { JsonObject, Orchestrator, RecordConsumer } from '../../control/types.ts';
import { FleetAgent } from '../../fleet/agent.ts';
import { BootClock } from '../../fleet/clock.ts';
import type { DesiredStream } from '../../fleet/desired-streams.ts';
import { pictureOf } from '../../fleet/fleet-picture.ts';
import type { NodeFence } from '../../fleet/node-fence.ts';
import { withEpoch } from '../../metadata/epoch.ts';
import { Histogram, SECONDS } from '../../outbox/histogram.ts';
import { needsInfer } from '../../pipeline/resolve.ts';
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
  options: { readonly detector: boolean },
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
    detector: options.detector,
    // What the store holds was checked when it was put there.
    needsDetector: (spec) => needsInfer(spec as StreamSpec),
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
    streams: async () => (await desired.list()).map(toView),
    stream: async (id) => {
      const found = await desired.get(id);
      return found && toView(found);
    },
    putStream: async (id, spec, asked) => {
      const subject = `stream "${id}" of the fleet`;
      const kept = (await desired.get(id))?.spec as JsonObject | undefined;
      const whole = withKeptSecrets({ ...spec, id }, kept, subject);
      const checked = checkValue(whole, StreamSpec, { subject });
      const { created, generation } = await desired.put(id, checked, asked);
      return { created, view: toView({ id, generation, spec: checked }) };
    },
    removeStream: (id, asked) => desired.remove(id, asked),
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

function toView({ id, generation, spec }: DesiredStream): FleetStream {
  return { id, generation, spec: sealSpec(spec).open };
}
