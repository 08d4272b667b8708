import { join } from 'node:path';
import type { DeliveryControl } from '../../api/dependencies.ts';
import { AddressPolicy } from '../../common/address-policy.ts';
import type { OutboxRecord, Sink } from '../../common/delivery.ts';
import { SightlineError } from '../../common/errors.ts';
import { LiveRecords } from '../../common/live-records.ts';
import type { Logger } from '../../common/logger.ts';
import { Registry } from '../../control/registry.ts';
import type { RecordConsumer } from '../../control/types.ts';
import { Delivery } from '../../outbox/delivery.ts';
import { Outbox } from '../../outbox/outbox.ts';
import type { LoadedConfig } from '../config/load.ts';
import { outboxOptions } from '../config/outbox.ts';
import type { ServerConfig } from '../config/server.ts';
import { API_SINK_TYPES } from './api-sinks.ts';
import { deliveryControl } from './control.ts';
import { prepareSinks } from './prepare.ts';
import { SinkBook } from './sink-book.ts';
import { SinkWatch } from './sink-watch.ts';

/** Bytes handed to the outbox and not yet durable at which workers are asked to wait. */
const UNSTORED_LIMIT_BYTES = 8 * 1024 * 1024;

export type EmitEvent = (type: string, facts: Readonly<Record<string, string | number>>) => void;

/** The part of a configuration that is about delivery. */
export interface DeliverySettings extends Pick<LoadedConfig, 'dataDir' | 'baseDir'> {
  readonly config: Pick<ServerConfig, 'sinks' | 'egress' | 'outbox'> & {
    readonly http: Pick<ServerConfig['http'], 'sinkTypes'>;
  };
}

/** The outbox with its sinks, as the server uses them. */
export interface DeliveryService {
  /** Takes the records of all workers; makes a worker wait while the disk is behind. */
  readonly accept: RecordConsumer;
  readonly control: DeliveryControl;
  /** Takes records, and resolves when they are on the disk. @throws SightlineError `SL_OUTBOX_FULL`, `SL_OUTBOX_DISK_FULL`: send all again */
  readonly store: (records: readonly OutboxRecord[]) => Promise<void>;
  /**
   * Delivers to a part of the server itself from now on, as to a required sink: what it has not settled waits in the
   * outbox, also over a restart. No configuration names it.
   */
  serve(part: Sink): Promise<void>;
  /** The records that come, for those who watch. */
  readonly live: LiveRecords;
  /** Ids of the sinks there are now. */
  sinkIds(): readonly string[];
  /** Where what happens to sinks is told from now on. */
  tell(emit: EmitEvent): void;
  /** Lets sinks finish what they can within the limit, then stores the rest. Idempotent. */
  close(options: { drainMs: number }): Promise<void>;
}

/**
 * Opens the outbox (alone in its folder) and starts delivering to every sink of the configuration and of the API,
 * reachable or not.
 */
export async function openDelivery(
  { config, dataDir, baseDir }: DeliverySettings,
  logger: Logger,
): Promise<DeliveryService> {
  const registry = new Registry(dataDir);
  const policy = new AddressPolicy(config.egress);
  const prepared = await prepareSinks(config.sinks, registry.sinks(), { baseDir, policy, logger });
  const outbox = await Outbox.open({
    dir: join(dataDir, 'outbox'),
    ...outboxOptions(config.outbox, baseDir),
    sinks: prepared.flatMap(({ sink, spec }) =>
      sink === undefined ? [] : [{ id: sink.id, kinds: sink.kinds, required: spec.required }],
    ),
    logger,
  }).catch((error) => {
    registry.close();
    throw error;
  });
  let emit: EmitEvent = () => undefined;
  const book = new SinkBook(
    {
      ...{ outbox, registry, baseDir, policy, logger },
      apiTypes: config.http.sinkTypes ?? API_SINK_TYPES,
      onEvent: (type, facts) => emit(type, facts),
    },
    prepared,
  );
  const parts: Delivery[] = [];
  const control = deliveryControl(outbox, book, parts);
  const watch = new SinkWatch({
    read: () => control.sinks(),
    emit: (type, facts) => emit(type, facts),
    logger,
  });

  /** What a stream says of its sinks does not keep its records from parts of the server. */
  const routed = (record: OutboxRecord): OutboxRecord => {
    if (record.sinks === undefined || parts.length === 0) return record;
    return { ...record, sinks: [...record.sinks, ...parts.map(({ sinkId }) => sinkId)] };
  };
  const live = new LiveRecords();
  let unstoredBytes = 0;
  const settle = async (): Promise<void> => {
    // A disk that is full is the outbox's to count and to report; here it only ends the wait.
    await outbox.flushed().catch(() => undefined);
    unstoredBytes = 0;
  };
  return {
    live,
    store: async (records) => {
      const refused = records.filter((record) => !outbox.append(routed(record))).length;
      await outbox.flushed();
      if (refused > 0) {
        const message = `The outbox refused ${refused} of ${records.length} records: it has no room for them now`;
        throw new SightlineError('SL_OUTBOX_FULL', message);
      }
      live.offer(records);
    },
    serve: async (part) => {
      await outbox.addSink({ id: part.id, kinds: part.kinds, required: true });
      const delivery = new Delivery({ outbox, sink: part, logger });
      parts.push(delivery);
      delivery.start();
    },
    accept: (records: readonly OutboxRecord[]) => {
      live.offer(records);
      for (const record of records) {
        outbox.append(routed(record));
        unstoredBytes += record.payload.byteLength;
      }
      return unstoredBytes > UNSTORED_LIMIT_BYTES ? settle() : undefined;
    },
    control,
    sinkIds: () => book.all().map(({ spec }) => spec.id),
    tell: (to) => {
      emit = to;
    },
    close: async ({ drainMs }) => {
      watch.close();
      await Promise.all([...parts, book].map((one) => one.close({ drainMs })));
      await outbox.close();
      registry.close();
    },
  };
}
