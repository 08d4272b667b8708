import { Counter, Gauge, Registry } from 'prom-client';
import { renderDelivery } from '../../api/delivery-metrics.ts';
import { histogramText } from '../../api/histogram-text.ts';
import type { QueueCounts } from '../../inference/frame-queue.ts';
import type { IntakeCounts } from '../../inference/intake.ts';
import type { RunnerCounts } from '../../inference/model-runner.ts';
import type { Histogram } from '../../outbox/histogram.ts';
import type { Inference } from './service.ts';

const INTAKE: Readonly<Record<keyof IntakeCounts, string>> = {
  frames: 'Frames that were begun',
  done: 'Frames whose results are all durable',
  duplicates: 'Messages of frames that were known',
  refused: 'Receipts of messages that cannot be used, sent back for another try',
  postponed: 'Frames sent back: no room for results, or their object is not there',
  poison: 'Dead letters',
};

const QUEUE: Readonly<Record<keyof QueueCounts, string>> = {
  received: 'Messages received',
  deleted: 'Messages deleted',
  deleteFailures: 'Deletions that failed for good: the message comes again',
  released: 'Messages sent back',
  buried: 'Messages moved to the dead letters of the queue',
  extensions: 'Renewals of what hides a message',
  extensionFailures: 'Renewals that failed',
  errors: 'Requests and connections that failed',
};

const MODEL: Readonly<Record<keyof RunnerCounts, string>> = {
  results: 'Results that are durable',
  late: 'Frames that came after a later one of their camera',
  resent: 'Frames sent again because a worker or graph failed with them in it',
  stray: 'Results that nobody waited for any more',
  refused: 'Results for which the outbox had no room',
};

/** The metrics of `sightline infer` in the Prometheus text format. `ages`: of results by model, s. */
export async function renderInferMetrics(
  inference: Inference,
  ages: ReadonlyMap<string, Histogram>,
): Promise<{ readonly contentType: string; readonly text: string }> {
  const registry = new Registry();
  const registers = [registry];
  const counter = (name: string, help: string, labelNames: string[]) =>
    new Counter({ name, help, labelNames, registers });
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name, help, labelNames, registers });
  const count = <K extends string>(
    prefix: string,
    helps: Readonly<Record<K, string>>,
    of: readonly { readonly counts: Readonly<Record<K, number>>; readonly model?: string }[],
  ): void => {
    for (const [key, help] of Object.entries(helps) as [K, string][]) {
      const labelled = of[0]?.model !== undefined;
      const metric = counter(`${prefix}_${snake(key)}_total`, help, labelled ? ['model'] : []);
      for (const { counts, model } of of) {
        metric.inc(model === undefined ? {} : { model }, counts[key]);
      }
    }
  };

  const { intake, queue, runners, poison, delivery } = inference;
  count('sightline_infer', INTAKE, [{ counts: intake.counts }]);
  count('sightline_infer_queue', QUEUE, [{ counts: queue.counts }]);
  count('sightline_infer_model', MODEL, runners);
  counter('sightline_infer_poison_dropped_total', 'Dead letters that made room', []).inc(
    poison.dropped,
  );
  const perModel = ['model'];
  const restarts = counter('sightline_infer_worker_restarts_total', 'Workers started again', [
    ...perModel,
  ]);
  const cameras = gauge('sightline_infer_cameras', 'Cameras that have a graph', perModel);
  const busy = counter('sightline_infer_busy_seconds_total', 'Time with a frame in it', perModel);
  const accelerators = gauge('sightline_infer_accelerator_info', '1; what runs the model', [
    ...['model', 'policy', 'execution_provider'],
  ]);
  const fallback = gauge(
    'sightline_infer_accelerator_fallback',
    '1 when a GPU was preferred and the model runs without one',
    perModel,
  );
  for (const { model, accelerator, restarts: again, cameras: graphs, busyMs } of runners) {
    const { policy, executionProvider, degraded } = accelerator;
    accelerators.set({ model, policy, execution_provider: executionProvider }, 1);
    fallback.set({ model }, degraded ? 1 : 0);
    restarts.inc({ model }, again);
    cameras.set({ model }, graphs);
    busy.inc({ model }, busyMs / 1000);
  }
  const { frames, bytes } = intake.working;
  gauge('sightline_infer_in_flight_frames', 'Frames being worked on').set(frames);
  gauge('sightline_infer_in_flight_bytes', 'Their bytes').set(bytes);
  gauge('sightline_infer_oldest_frame_age_seconds', 'Of the frames being worked on').set(
    intake.oldestAgeMs / 1000,
  );
  gauge('sightline_infer_has_room', '0 while the outbox has no room for results').set(
    inference.hasRoom() ? 1 : 0,
  );
  renderSignal(inference, gauge);
  const histograms = [...ages].map(([model, age]) => ({ labels: { model }, view: age.view() }));
  const text = [
    renderDelivery(delivery.control, counter, gauge),
    histogramText('sightline_infer_result_age_seconds', 'From capture to durable', histograms),
    await registry.metrics(),
  ].join('');
  return { contentType: registry.contentType, text };
}

/** What a scaler asks for: absent while the queue does not say how much waits. */
function renderSignal(
  { signal }: Inference,
  gauge: (name: string, help: string) => Gauge<string>,
): void {
  const now = signal();
  if (now === undefined) return;
  const { backlogFrames, framesPerSecond, capacityPerSecond, wantedReplicas } = now;
  const figures = [
    ['backlog_frames', 'Messages that wait or are being worked on, by whomever', backlogFrames],
    ['frames_per_second', 'Frames that this process finishes', framesPerSecond],
    ['capacity_frames_per_second', 'The same, of the time that it is busy', capacityPerSecond],
    ['wanted_replicas', 'Processes that would work off the backlog in time', wantedReplicas],
  ] as const;
  for (const [name, help, value] of figures) {
    if (value !== undefined) gauge(`sightline_infer_${name}`, help).set(value);
  }
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
