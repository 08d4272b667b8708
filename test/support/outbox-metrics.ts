import assert from 'node:assert/strict';
import { Counter, Gauge, Registry } from 'prom-client';
import { renderDelivery } from '../../src/api/delivery-metrics.ts';
import type { Delivery } from '../../src/outbox/delivery.ts';
import type { Outbox } from '../../src/outbox/outbox.ts';
import { readSamples, total } from './scrape.ts';

/** The sum of the samples of a name that have these labels. */
export type Metrics = (name: string, labels?: Readonly<Record<string, string>>) => number;

/** A start after a crash, a cut or damage is over within this: what the failure matrix allows a disk that is full. */
const RECOVERY_LIMIT_S = 10;

/**
 * What a scrape of a server with this outbox would say. Fails where a sink has a record without a fate, or where the last
 * start took too long.
 */
export async function metricsOf(
  outbox: Outbox,
  deliveries: readonly Delivery[] = [],
): Promise<Metrics> {
  const registry = new Registry();
  const registers = [registry];
  const known = new Set(deliveries.map(({ sinkId }) => sinkId));
  const text = renderDelivery(
    {
      figures: () => [
        ...deliveries.map((delivery) => delivery.stats()),
        ...outbox.stats().sinks.filter(({ id }) => !known.has(id)),
      ],
      outbox: () => outbox.stats(),
    },
    (name, help, labelNames) => new Counter({ name, help, labelNames, registers }),
    (name, help, labelNames = []) => new Gauge({ name, help, labelNames, registers }),
  );
  const samples = readSamples((await registry.metrics()) + text);
  for (const { name, labels, value } of samples) {
    if (name === 'outbox_conservation_error') assert.equal(value, 0, JSON.stringify(labels));
  }
  const recoverySeconds = total(samples, 'outbox_recovery_seconds');
  assert.ok(recoverySeconds < RECOVERY_LIMIT_S, `the start took ${recoverySeconds} s`);
  return (name, labels) => total(samples, name, labels);
}
