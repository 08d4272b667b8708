import { join } from 'node:path';
import type { Cleanup } from '../../common/cleanup.ts';
import type { Logger } from '../../common/logger.ts';
import { workerCommand } from '../../control/worker-command.ts';
import { Autoscale, type LoadSignal } from '../../inference/autoscale.ts';
import type { FrameQueue } from '../../inference/frame-queue.ts';
import { Intake } from '../../inference/intake.ts';
import { ModelRunner } from '../../inference/model-runner.ts';
import { PoisonFolder } from '../../inference/poison-folder.ts';
import { Routes } from '../../inference/routes.ts';
import type { AcceleratorProbe } from '../accelerator.ts';
import { type DeliveryService, openDelivery } from '../delivery/service.ts';
import type { InferConfig, LoadedInferConfig } from './config.ts';
import { graphMaker } from './graphs.ts';
import { openQueue } from './queue.ts';

/** Messages of one request: the most SQS gives. */
const BATCH = 10;
/** Receivers of a queue that hands messages out by itself. */
const PUSHED_RECEIVERS = 1;
/** For deletions under way when everything else has ended. */
const QUEUE_CLOSE_MS = 5_000;
/** Sinks get this long at shut-down to take what just came; the rest waits on the disk for the next start. */
const SINK_DRAIN_MS = 800;

/** Everything of `sightline infer` but its HTTP server. */
export interface Inference {
  readonly delivery: DeliveryService;
  readonly queue: FrameQueue;
  readonly intake: Intake;
  readonly runners: readonly ModelRunner[];
  readonly poison: PoisonFolder;
  /** False while the outbox is near its bounds, or the disk takes nothing: frames then wait in their queue. */
  hasRoom(): boolean;
  /** Undefined before the first look at the queue. */
  signal(): LoadSignal | undefined;
}

export interface InferenceOptions {
  readonly loaded: LoadedInferConfig;
  readonly logger: Logger;
  /** A result is durable. `ageMs`: since the frame was captured, by the wall clock. */
  readonly onResult: (model: string, ageMs: number) => void;
  /** Default: a look at this machine. */
  readonly probe?: () => Promise<AcceleratorProbe>;
  /** Closes what was opened, also when opening fails. */
  readonly cleanup: Cleanup;
}

/**
 * Opens the outbox and the models, and begins to take frames from the queue, whether it can be reached or not.
 * @throws SightlineError for a folder in use, and models or settings that cannot be used
 */
export async function openInference(options: InferenceOptions): Promise<Inference> {
  const { loaded, logger, cleanup } = options;
  const { config, dataDir, baseDir } = loaded;
  const { sinks, egress, outbox } = config;
  const settings = { sinks, egress, outbox, http: { sinkTypes: [] } };
  const delivery = await openDelivery({ config: settings, dataDir, baseDir }, logger);
  cleanup.defer(() => delivery.close({ drainMs: SINK_DRAIN_MS }));

  const queue = openQueue(config, baseDir, logger);
  cleanup.defer(() => queue.close(QUEUE_CLOSE_MS));
  const runners: ModelRunner[] = [];
  for (const route of config.models) {
    const runner = await openRunner(route, options, delivery.store);
    cleanup.defer(() => runner.close(0));
    runners.push(runner);
  }
  const poison = new PoisonFolder(join(dataDir, 'poison'), config.poisonBytes);
  const hasRoom = (): boolean => {
    const { state, pressure } = delivery.control.outbox();
    return state === 'ok' && pressure.level === 'ok';
  };
  const intake = new Intake({
    ...{ queue, poison, logger, hasRoom },
    routes: new Routes(
      config.models.map(({ infer, ...rest }) => ({ model: infer.model, ...rest })),
    ),
    submit: (model, job) => runners.find((runner) => runner.model === model)!.submit(job),
    limits: {
      ...config.limits,
      batch: BATCH,
      receivers: config.queue.type === 'sqs' ? config.queue.receivers : PUSHED_RECEIVERS,
    },
  });
  intake.start();
  cleanup.defer(async () => void (await intake.stop(config.drainMs)));
  const autoscale = new Autoscale(config.autoscale);
  cleanup.defer(watchLoad({ queue, intake, runners }, autoscale, config.autoscale.everyMs));

  return { delivery, queue, intake, runners, poison, hasRoom, signal: () => autoscale.signal };
}

async function openRunner(
  route: InferConfig['models'][number],
  { loaded, logger, onResult, probe }: InferenceOptions,
  store: DeliveryService['store'],
): Promise<ModelRunner> {
  const { config, dataDir, modelsDir } = loaded;
  const { model } = route.infer;
  const workDir = join(dataDir, 'work');
  const maker = await graphMaker(route, { modelsDir, workDir, ...(probe && { probe }) });
  const { make, accelerator, startTimeoutMs = 0 } = maker;
  return ModelRunner.open({
    ...{ model, graphFor: make, accelerator },
    ...(startTimeoutMs === 0 ? {} : { startTimeoutMs }),
    command: workerCommand(),
    ...{ logger, store },
    idleMs: config.idleMs,
    // The first frame waits for the start.
    frameTimeoutMs: Math.max(config.frameTimeoutMs, startTimeoutMs),
    onResult: ({ ageMs }) => onResult(model, ageMs),
  });
}

/** Looks at the queue now and then. Returns what ends it. */
function watchLoad(
  { queue, intake, runners }: Pick<Inference, 'queue' | 'intake' | 'runners'>,
  autoscale: Autoscale,
  everyMs: number,
): () => void {
  const stop = new AbortController();
  const look = async (): Promise<void> => {
    const backlogFrames = await queue.backlog(stop.signal);
    if (stop.signal.aborted) return;
    const { oldestAgeMs, counts, working } = intake;
    const busyMs = Math.max(...runners.map((runner) => runner.busyMs));
    const figures = { inFlightFrames: working.frames, doneFrames: counts.done };
    autoscale.look({ backlogFrames, ...figures, busyMs, oldestAgeMs }, performance.now());
  };
  const timer = setInterval(() => void look(), everyMs);
  void look();
  return () => {
    clearInterval(timer);
    stop.abort();
  };
}
