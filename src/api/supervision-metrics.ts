import type { Counter, Gauge } from 'prom-client';
import type { CapacityView, Orchestrator, StreamView, WorkerView } from '../control/types.ts';
import type { EventCounts } from './event-counts.ts';
import { LOOP_QUANTILES, type LoopDelay } from './loop-delay.ts';

export type MakeCounter = (name: string, help: string, labels: string[]) => Counter;
export type MakeGauge = (name: string, help: string, labels?: string[]) => Gauge;

/** What the API itself watches, for the metrics. */
export interface Watched {
  readonly counts: EventCounts;
  readonly loop: LoopDelay;
}

export function renderSupervision(
  { counts, loop }: Watched,
  orchestrator: Orchestrator,
  streams: readonly StreamView[],
  counter: MakeCounter,
  gauge: MakeGauge,
): void {
  renderConditions(streams, gauge);
  const fill = (metric: Counter, from: ReadonlyMap<string, number>, names: readonly string[]) => {
    for (const [key, count] of from) {
      const words = key.split(' ');
      metric.inc(Object.fromEntries(names.map((name, index) => [name, words[index]!])), count);
    }
  };
  const count = (name: string, help: string, from: ReadonlyMap<string, number>, labels: string[]) =>
    fill(counter(name, help, labels), from, labels);
  count('sightline_stream_transitions_total', 'Changes of state, by cause', counts.transitions, [
    ...['stream_id', 'state', 'code'],
  ]);
  count(
    'sightline_stream_stalls_total',
    'Stalls, by the layer where frames stopped',
    counts.stalls,
    [...['stream_id', 'layer']],
  );
  count(
    'sightline_stream_gaps_total',
    'Times it went over to a successor with a gap',
    counts.gaps,
    ['stream_id'],
  );
  const gapSeconds = new Map([...counts.gapMs].map(([id, ms]) => [id, ms / 1_000] as const));
  count('sightline_stream_gap_seconds_total', 'Time without pictures in them', gapSeconds, [
    'stream_id',
  ]);
  count('sightline_worker_exits_total', 'Workers that ended, by reason', counts.exits, [
    ...['pipeline_id', 'reason'],
  ]);
  count('sightline_incidents_total', 'Incidents on record since the start', counts.incidents, [
    ...['pipeline_id', 'kind'],
  ]);
  renderWorkers(orchestrator.workers(), gauge);
  renderCapacity(capacityOf(orchestrator), gauge);
  const { subscribers, slowDisconnects } = orchestrator.events.stats;
  // One of them is the count of events itself.
  gauge('sightline_event_clients', 'Open event streams').set(Math.max(0, subscribers - 1));
  counter('sightline_event_slow_disconnects_total', 'Event streams cut off: too slow', []).inc(
    slowDisconnects,
  );
  const delay = gauge(
    'sightline_event_loop_delay_seconds',
    'How late the event loop of the control process is, over the last minutes',
    ['quantile'],
  );
  const read = loop.read();
  for (const [index, quantile] of LOOP_QUANTILES.entries()) {
    delay.set({ quantile: String(quantile) }, read[index]!);
  }
}

function renderConditions(streams: readonly StreamView[], gauge: MakeGauge): void {
  const condition = gauge(
    'sightline_stream_condition',
    '1: it is so, 0: it is not, -1: not known',
    ['stream_id', 'condition'],
  );
  const flapping = gauge(
    'sightline_stream_flapping',
    '1 when the state changed more than 6 times in 5 minutes',
    ['stream_id'],
  );
  const VALUES = { true: 1, false: 0, unknown: -1 } as const;
  for (const { id, status } of streams) {
    flapping.set({ stream_id: id }, status.flapping ? 1 : 0);
    for (const { type, status: is } of status.conditions) {
      condition.set({ stream_id: id, condition: type }, VALUES[is]);
    }
  }
}

function renderWorkers(workers: readonly WorkerView[], gauge: MakeGauge): void {
  const labels = ['pipeline_id', 'lane'];
  const up = gauge('sightline_worker_up', '1 while its process runs', labels);
  const rss = gauge('sightline_worker_resident_memory_bytes', 'Resident memory', labels);
  const cpu = gauge('sightline_worker_cpu_cores', 'Cores in use', labels);
  const threads = gauge('sightline_worker_threads', 'Threads', labels);
  const fds = gauge('sightline_worker_open_fds', 'Open descriptors', labels);
  for (const worker of workers) {
    const label = { pipeline_id: worker.pipelineId, lane: worker.lane ?? 'main' };
    up.set(label, worker.state === 'running' ? 1 : 0);
    if (worker.rssBytes !== undefined) rss.set(label, worker.rssBytes);
    if (worker.cpu !== undefined) cpu.set(label, worker.cpu);
    if (worker.threads !== undefined) threads.set(label, worker.threads);
    if (worker.fds !== undefined) fds.set(label, worker.fds);
  }
}

/** A scrape does not fail because the box cannot be measured. */
function capacityOf(orchestrator: Orchestrator): CapacityView | undefined {
  try {
    return orchestrator.capacity();
  } catch {
    return undefined;
  }
}

function renderCapacity(capacity: CapacityView | undefined, gauge: MakeGauge): void {
  if (capacity === undefined) return;
  const cores = gauge('sightline_capacity_cores', 'Cores of the box, by what', ['what']);
  cores.set({ what: 'total' }, capacity.cores);
  cores.set({ what: 'limit' }, capacity.limit);
  cores.set({ what: 'used' }, capacity.used);
  const used = gauge('sightline_stream_cores', 'What a stream costs, in cores', [
    ...['stream_id', 'what'],
  ]);
  for (const stream of capacity.streams) {
    used.set({ stream_id: stream.id, what: 'used' }, stream.used);
    used.set({ stream_id: stream.id, what: 'demand' }, stream.demand);
  }
}
