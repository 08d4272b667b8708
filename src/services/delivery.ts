import { join } from 'node:path';
import type { OutboxView, SinkView } from '../api/dependencies.ts';
import { AddressPolicy } from '../common/address-policy.ts';
import type { OutboxRecord } from '../common/delivery.ts';
import type { Logger } from '../common/logger.ts';
import type { RecordConsumer } from '../control/types.ts';
import { Delivery } from '../outbox/delivery.ts';
import { Outbox } from '../outbox/outbox.ts';
import { createSink } from '../sinks/registry.ts';
import type { LoadedConfig } from './config/load.ts';
import { outboxOptions } from './config/outbox.ts';

/** Bytes handed to the outbox and not yet durable at which workers are asked to wait. */
const UNSTORED_LIMIT_BYTES = 8 * 1024 * 1024;

/** The outbox with its sinks, as the server uses them. */
export interface DeliveryService {
  /** Takes the records of all workers; makes a worker wait while the disk is behind. */
  readonly accept: RecordConsumer;
  sinks(): readonly SinkView[];
  outbox(): OutboxView;
  /** Lets sinks finish what they can within the limit, then stores the rest. Idempotent. */
  close(options: { drainMs: number }): Promise<void>;
}

/** Opens the outbox (alone in its folder) and starts delivering to every configured sink, reachable or not. */
export async function openDelivery(
  { config, dataDir, baseDir }: LoadedConfig,
  logger: Logger,
): Promise<DeliveryService> {
  const policy = new AddressPolicy(config.egress);
  const sinks = await Promise.all(
    config.sinks.map((spec) => createSink(spec, { baseDir, logger, policy })),
  );
  const outbox = await Outbox.open({
    dir: join(dataDir, 'outbox'),
    ...outboxOptions(config.outbox, baseDir),
    sinks: sinks.map(({ id, kinds }, index) => ({
      id,
      kinds,
      required: config.sinks[index]?.required ?? true,
    })),
    logger,
  });
  const deliveries = sinks.map((sink) => new Delivery({ outbox, sink, logger }));
  for (const delivery of deliveries) delivery.start();

  let unstoredBytes = 0;
  const settle = async (): Promise<void> => {
    // A disk that is full is the outbox's to count and to report; here it only ends the wait.
    await outbox.flushed().catch(() => undefined);
    unstoredBytes = 0;
  };
  return {
    accept: (records: readonly OutboxRecord[]) => {
      for (const record of records) {
        outbox.append(record);
        unstoredBytes += record.payload.byteLength;
      }
      return unstoredBytes > UNSTORED_LIMIT_BYTES ? settle() : undefined;
    },
    sinks: () => deliveries.map((delivery) => delivery.stats()),
    outbox: () => {
      const { state, bytes, refused } = outbox.stats();
      return { state, bytes, refused };
    },
    close: async ({ drainMs }) => {
      await Promise.all(deliveries.map((delivery) => delivery.close({ drainMs })));
      await outbox.close();
    },
  };
}
