import { after, before, type TestContext } from 'node:test';
import type { PendingRecord, Sink } from '../../../src/common/delivery.ts';
import { Delivery } from '../../../src/outbox/delivery.ts';
import { assertConserved, openOutbox, temporaryDir } from '../../outbox/helpers.ts';
import { Moto } from '../../support/moto.ts';
import { until } from '../../support/wait.ts';
import { eventBridgeLimits } from '../aws-limits/eventbridge.ts';
import { firehoseLimits } from '../aws-limits/firehose.ts';
import { kinesisLimits } from '../aws-limits/kinesis.ts';
import { AwsProxy } from '../aws-proxy.ts';

/** One moto for the tests of a `describe`, which makes this in its body. */
export class EntriesWorld {
  #moto: Moto | undefined;
  #last = 0;

  constructor() {
    before(async () => {
      this.#moto = await Moto.start();
    });
    after(() => this.#moto?.close());
  }

  get client(): Moto['client'] {
    return this.#moto!.client;
  }

  /** For names that nothing else has there. */
  next(): number {
    return ++this.#last;
  }

  /** A way to it that enforces the limits of the services and fails as a test wants. */
  async proxied(context: TestContext) {
    const limits = {
      kinesis: kinesisLimits(),
      firehose: firehoseLimits(),
      events: eventBridgeLimits(),
    };
    const proxy = new AwsProxy(this.#moto!.port, Object.values(limits));
    await proxy.listen();
    context.after(() => proxy.close());
    return { proxy, ...limits };
  }
}

/** Through the real outbox to its end. */
export async function deliverAll(
  context: TestContext,
  sink: Sink,
  records: readonly PendingRecord[],
) {
  const outbox = await openOutbox(context, { dir: temporaryDir(context), sinks: [sink] });
  const delivery = new Delivery({
    ...{ outbox, sink, authProbeMs: 50 },
    backoff: { baseMs: 10, capMs: 50 },
  });
  context.after(() => delivery.close({ drainMs: 0 }));
  for (const record of records) outbox.append(record);
  delivery.start();
  return delivery;
}

export async function settled(delivery: Delivery) {
  await until('all is settled', 10_000, () => delivery.stats().pending === 0);
  assertConserved(delivery.stats());
  return delivery.stats();
}
