import { Counter, Gauge, Registry } from 'prom-client';
import { STREAM_STATES, type StreamTotals } from '../control/types.ts';
import { renderDelivery } from './delivery-metrics.ts';
import type { ApiDependencies } from './dependencies.ts';
import { renderFleet } from './fleet-metrics.ts';
import { renderRecordings } from './recording-metrics.ts';
import { renderRules } from './rules-metrics.ts';
import {
  type MakeCounter,
  type MakeGauge,
  renderSupervision,
  type Watched,
} from './supervision-metrics.ts';

/** Totals that are one number. */
type Counted = Exclude<keyof StreamTotals, 'framesSkippedByReason'>;

const STREAM_COUNTERS: readonly [name: string, field: Counted, help: string][] = [
  ['sightline_frames_received_total', 'framesArrived', 'Access units that came from the camera'],
  ['sightline_frames_decoded_total', 'framesDecoded', 'Pictures the decoder gave'],
  [
    'sightline_frames_corrupt_total',
    'framesCorrupt',
    'Pictures that the decoder marked as corrupt or patched up',
  ],
  ['sightline_frames_inferred_total', 'framesInferred', 'Frames the detector ran on'],
  ['sightline_frames_published_total', 'framesPublished', 'Frames that left as metadata'],
  ['sightline_frames_recorded_total', 'framesRecorded', 'Access units that were recorded'],
  [
    'sightline_frames_unrecorded_total',
    'framesUnrecorded',
    'Access units that were to be recorded and are in no file',
  ],
  ['sightline_recorded_bytes_total', 'recordedBytes', 'Media that was written by recorders'],
  ['sightline_reconnects_total', 'reconnects', 'Times a stream had to connect again'],
  [
    'sightline_worker_restarts_total',
    'workerRestarts',
    'Times the worker of a stream was started again',
  ],
];

/** Fills a registry of its own from what the parts report: a scrape sees one moment, and nothing is counted twice. */
export async function renderMetrics(
  deps: ApiDependencies,
  watched: Watched,
): Promise<{ contentType: string; text: string }> {
  const registers = [new Registry()];
  const registry = registers[0]!;
  const counter = (name: string, help: string, labelNames: string[]) =>
    new Counter({ name, help, labelNames, registers });
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name, help, labelNames, registers });

  const streams = deps.orchestrator.listStreams();
  const up = gauge('sightline_stream_up', '1 when the stream is live', ['stream_id']);
  const state = gauge('sightline_stream_state', '1 for the state the stream is in', [
    'stream_id',
    'state',
  ]);
  const latency = gauge('sightline_stream_latency_seconds', 'First packet to metadata', [
    'stream_id',
    'quantile',
  ]);
  const dropped = counter(
    'sightline_frames_dropped_total',
    'Frames and records dropped, by reason',
    ['stream_id', 'stage', 'reason'],
  );
  const counters = STREAM_COUNTERS.map(
    ([name, field, help]) => [counter(name, help, ['stream_id']), field] as const,
  );
  const accelerator = gauge('sightline_stream_accelerator_info', '1; what runs the model', [
    ...['stream_id', 'policy', 'backend', 'execution_provider'],
  ]);
  const fallback = gauge(
    'sightline_stream_accelerator_fallback',
    '1 when a GPU was preferred and the model runs without one',
    ['stream_id'],
  );
  for (const { id, status } of streams) {
    const label = { stream_id: id };
    if (status.accelerator !== undefined) {
      const { policy, backend, executionProvider, degraded } = status.accelerator;
      accelerator.set({ ...label, policy, backend, execution_provider: executionProvider }, 1);
      fallback.set(label, degraded ? 1 : 0);
    }
    up.set(label, status.state === 'live' ? 1 : 0);
    for (const name of STREAM_STATES)
      state.set({ ...label, state: name }, name === status.state ? 1 : 0);
    for (const [metric, field] of counters) {
      const value = status.counters[field];
      if (value !== undefined) metric.inc(label, value);
    }
    const { framesSkippedByReason, recordsDropped } = status.counters;
    const { recordsRefused, recordsOverlapped } = status.counters;
    for (const [reason, frames] of Object.entries(framesSkippedByReason)) {
      dropped.inc({ ...label, stage: 'infer', reason }, frames);
    }
    dropped.inc({ ...label, stage: 'worker', reason: 'slow-reader' }, recordsDropped);
    dropped.inc({ ...label, stage: 'outbox', reason: 'refused' }, recordsRefused);
    dropped.inc({ ...label, stage: 'control', reason: 'overlapped' }, recordsOverlapped);
    if (status.latencyMs !== undefined) {
      latency.set({ ...label, quantile: '0.5' }, status.latencyMs.p50 / 1000);
      latency.set({ ...label, quantile: '0.95' }, status.latencyMs.p95 / 1000);
    }
  }

  renderSupervision(watched, deps.orchestrator, streams, counter, gauge);
  renderEngines(deps, counter, gauge);
  renderRecordings(deps.recordings, counter, gauge);
  renderRules(deps.rules, counter, gauge);
  const { watchers, dropped: unseen } = deps.live.stats;
  gauge('sightline_metadata_watchers', 'Clients that watch frames as they come').set(watchers);
  counter(
    'sightline_metadata_dropped_total',
    'Frames left out for clients that watch too slowly',
    [],
  ).inc(unseen);
  const histograms =
    renderDelivery(deps.delivery, counter, gauge) + renderFleet(deps.fleet, counter, gauge);
  return { contentType: registry.contentType, text: (await registry.metrics()) + histograms };
}

/** Only where there is a GPU: elsewhere no engine is ever built. */
function renderEngines(deps: ApiDependencies, counter: MakeCounter, gauge: MakeGauge): void {
  const engines = deps.engines?.();
  if (engines === undefined) return;
  const total = counter('sightline_engines_total', 'TensorRT engines that pipelines asked for', [
    'result',
  ]);
  total.inc({ result: 'reused' }, engines.reused);
  total.inc({ result: 'built' }, engines.built);
  total.inc({ result: 'failed' }, engines.failed);
  gauge('sightline_engines_building', '1 while a TensorRT engine is built').set(engines.building);
  counter('sightline_engine_build_seconds_total', 'Time spent on engines that were built', []).inc(
    engines.buildSeconds,
  );
  const pruned = counter('sightline_engines_pruned_total', 'Engines removed from the cache', []);
  pruned.inc(engines.pruned);
  gauge('sightline_engine_cache_bytes', 'Bytes of the engine cache, as of the start').set(
    engines.cacheBytes,
  );
}
