import type { DeliveryControl, SinkFigures } from './dependencies.ts';
import { histogramText, type LabelledHistogram } from './histogram-text.ts';
import type { MakeCounter, MakeGauge } from './supervision-metrics.ts';

const CIRCUIT_STATES = ['closed', 'open', 'half-open'];

/**
 * The outbox and its sinks. At all times, for each sink, accepted = delivered + filtered + dead-lettered + dropped + lag:
 * outbox_conservation_error is the difference. Returns the histograms as text, which prom-client cannot be handed ready.
 */
export function renderDelivery(
  delivery: Pick<DeliveryControl, 'figures' | 'outbox'>,
  counter: MakeCounter,
  gauge: MakeGauge,
): string {
  const sinks = delivery.figures();
  renderFates(sinks, counter, gauge);
  renderAttempts(sinks, counter, gauge);
  renderOutbox(delivery, counter, gauge);
  const batches = sinks.flatMap(({ id, batchRecords }): LabelledHistogram[] =>
    batchRecords === undefined ? [] : [{ labels: { sink: id }, view: batchRecords }],
  );
  const durations = sinks.flatMap(({ id, sendSeconds }): LabelledHistogram[] =>
    Object.entries(sendSeconds ?? {}).map(([outcome, view]) => ({
      labels: { sink: id, outcome },
      view,
    })),
  );
  const commits = [{ labels: {}, view: delivery.outbox().commitSeconds }];
  return [
    histogramText('outbox_batch_size', 'Records of one attempt', batches),
    histogramText('outbox_send_duration_seconds', 'Duration of one attempt', durations),
    histogramText('outbox_fsync_duration_seconds', 'Duration of one durable commit', commits),
  ].join('');
}

function renderFates(sinks: readonly SinkFigures[], counter: MakeCounter, gauge: MakeGauge): void {
  const bySink = ['sink'];
  const accepted = counter('outbox_records_accepted_total', 'Records accepted for a sink', bySink);
  const delivered = counter('outbox_records_delivered_total', 'Records it confirmed', bySink);
  const filtered = counter(
    'outbox_records_filtered_total',
    'Records its own filter kept from it',
    bySink,
  );
  const dead = counter('outbox_records_dead_lettered_total', 'Records it will never take', [
    ...['sink', 'reason'],
  ]);
  const dropped = counter('outbox_records_dropped_total', 'Records given up by a declared bound', [
    ...['sink', 'class', 'reason'],
  ]);
  const lag = gauge('outbox_cursor_lag_records', 'Records that wait for a sink', bySink);
  const age = gauge(
    'outbox_oldest_record_age_seconds',
    'Age of the oldest record that waits',
    bySink,
  );
  const difference = gauge(
    'outbox_conservation_error',
    'Records whose fate is not accounted for: 0 at all times',
    bySink,
  );
  for (const sink of sinks) {
    const label = { sink: sink.id };
    accepted.inc(label, sink.accepted);
    delivered.inc(label, sink.delivered);
    filtered.inc(label, sink.filtered);
    for (const [reason, count] of Object.entries(sink.deadLetteredByCode)) {
      dead.inc({ ...label, reason }, count);
    }
    for (const [kind, reasons] of Object.entries(sink.shedByKind)) {
      for (const [reason, count] of Object.entries(reasons)) {
        dropped.inc({ ...label, class: kind, reason }, count);
      }
    }
    lag.set(label, sink.pending);
    age.set(label, sink.oldestAgeMs / 1000);
    const known = sink.delivered + sink.filtered + sink.deadLettered + sink.shed + sink.pending;
    difference.set(label, sink.accepted - known);
  }
}

function renderAttempts(
  sinks: readonly SinkFigures[],
  counter: MakeCounter,
  gauge: MakeGauge,
): void {
  const retries = counter('outbox_retries_total', 'Records that were sent again, by the error', [
    ...['sink', 'class'],
  ]);
  const circuits = gauge('outbox_circuit_state', '1 for the state of the circuit breaker', [
    ...['sink', 'state'],
  ]);
  const backup = counter('outbox_backup_objects_total', 'Objects that a backup took', ['sink']);
  for (const { id, retriesByCode = {}, circuit, backupObjects } of sinks) {
    if (backupObjects !== undefined) backup.inc({ sink: id }, backupObjects);
    for (const [code, count] of Object.entries(retriesByCode)) {
      retries.inc({ sink: id, class: code }, count);
    }
    if (circuit === undefined) continue;
    for (const state of CIRCUIT_STATES) {
      circuits.set({ sink: id, state }, state === circuit ? 1 : 0);
    }
  }
}

function renderOutbox(
  delivery: Pick<DeliveryControl, 'outbox'>,
  counter: MakeCounter,
  gauge: MakeGauge,
): void {
  const outbox = delivery.outbox();
  const bytes = gauge('outbox_bytes', 'Bytes the outbox holds on the disk', ['class']);
  for (const [kind, count] of Object.entries(outbox.bytesByKind)) bytes.set({ class: kind }, count);
  const refused = counter('outbox_records_refused_total', 'Records that could not be accepted', [
    ...['class', 'reason'],
  ]);
  for (const [kind, reasons] of Object.entries(outbox.refusedByKind)) {
    for (const [reason, count] of Object.entries(reasons)) {
      refused.inc({ class: kind, reason }, count);
    }
  }
  const plain = (name: string, help: string, value: number) => counter(name, help, []).inc(value);
  plain('outbox_records_unrouted_total', 'Records that no sink takes', outbox.unrouted);
  plain(
    'outbox_corrupt_records_total',
    'Records whose stored bytes were damaged',
    outbox.corruptRecords,
  );
  plain(
    'outbox_dead_letters_dropped_total',
    'Dead letters given up to keep their bounds',
    outbox.deadLettersDropped,
  );
  if (outbox.space !== undefined) {
    gauge('outbox_disk_free_bytes', 'Free on the disk of the outbox').set(outbox.space.freeBytes);
  }
  gauge('outbox_recovery_seconds', 'How long the last start of the outbox took').set(
    outbox.recoverySeconds,
  );
}
