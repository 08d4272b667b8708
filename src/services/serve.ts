import { resolve } from 'node:path';
import { buildApp } from '../api/app.ts';
import type { FleetControl, QueryView, RecordingsView, RulesView } from '../api/dependencies.ts';
import { startNvidiaRest } from '../api/nvidia/server.ts';
import { Cleanup } from '../common/cleanup.ts';
import { SightlineError } from '../common/errors.ts';
import { createLogger, type Logger } from '../common/logger.ts';
import { collectYoungObjectsAlone } from '../common/young-collections.ts';
import { createOrchestrator } from '../control/orchestrator.ts';
import type { Orchestrator } from '../control/types.ts';
import { workerCommand } from '../control/worker-command.ts';
import { createCompiler } from './compiler.ts';
import { loadConfig } from './config/load.ts';
import { configPlace } from './config/place.ts';
import { ConfigFolder } from './config-folder.ts';
import { type DeliveryService, openDelivery } from './delivery/service.ts';
import { createEngines, type Engines } from './engines.ts';
import { recordEvents, routeOf } from './event-records.ts';
import { type FleetService, fenced, openFleet } from './fleet/service.ts';
import { letHeapGrow } from './heap.ts';
import { startHeartbeats } from './heartbeats.ts';
import { modelsView } from './models-view.ts';
import { openQueries } from './query/open.ts';
import { checkReceiver } from './receive.ts';
import { openRecordings } from './recordings.ts';
import { openRules } from './rules/open.ts';
import { shutdownRequested } from './shutdown.ts';
import { showStatus, statusLine } from './status-line.ts';

export interface ServeOptions {
  /** A file, or a folder with `sightline.yaml` and `pipelines/`. */
  readonly config: string;
  readonly version: string;
  /** In place of the configured HTTP port. */
  readonly port?: number;
  /** `receive`: no detector may run here. Default: a server that does everything. */
  readonly role?: 'receive';
}

/** Sinks get this long at shut-down to take what just came; the rest waits on the disk for the next start. */
const SINK_DRAIN_MS = 800;
/** Beyond the streams' own drain: for the workers to leave, the sinks, the files. */
const STOP_GRACE_MS = 3_000;

/** Runs the server until a signal ends it. Throws before that when it cannot start, and leaves nothing running. */
export async function serve(options: ServeOptions): Promise<void> {
  collectYoungObjectsAlone();
  // The SDK announces that its releases of 2027 need Node 22; the lockfile holds one that does not (docs/adr/0006).
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  letHeapGrow();
  const place = configPlace(options.config);
  const loaded = await loadConfig(place.file);
  const { config } = loaded;
  const detector = options.role !== 'receive';
  if (!detector) checkReceiver(config, place.file);
  const terminal = process.stdout.isTTY === true;
  const logger = createLogger({ level: terminal ? 'warn' : config.logLevel, pretty: terminal });
  const say = (line: string): void => {
    if (terminal) process.stdout.write(`  ${line}\n`);
  };

  // What was opened last is closed first, also when a later step fails.
  await using cleanup = new Cleanup();
  if (terminal) process.stdout.write(`Sightline ${options.version}\n`);
  // The folder's lock is taken before any port; the demo's servers outlive the sinks that talk to them.
  const demo = cleanup.use(new Cleanup());
  const delivery = await openDelivery(loaded, logger);
  cleanup.defer(() => delivery.close({ drainMs: SINK_DRAIN_MS }));
  if (config.demo !== undefined) demo.use(await openDemo(config.demo, say));
  const engines = createEngines({
    cacheDir: loaded.engineCacheDir,
    maxBytes: config.deepstream.cacheMaxBytes,
    maxAgeDays: config.deepstream.cacheMaxAgeDays,
    buildLimitMs: config.deepstream.buildLimitMs,
    command: workerCommand(),
    logger,
  });
  // Nothing is the fleet's before it is opened.
  let fleet: FleetService | undefined;
  const epochOf = (id: string) => fleet?.fence.epochOf(id);
  const orchestrator = createOrchestrator({
    engines: engines.store,
    dataDir: loaded.dataDir,
    compiler: createCompiler({
      modelsDir: loaded.modelsDir,
      workDir: resolve(loaded.dataDir, 'work'),
      enginesDir: loaded.engineCacheDir,
      sinks: delivery.sinkIds,
      ...(loaded.recordDir === undefined ? {} : { recordDir: loaded.recordDir }),
      epochOf,
      detector,
      ...(config.defaults === undefined ? {} : { defaults: config.defaults }),
    }),
    onRecords: fenced(delivery.accept, () => fleet?.fence),
    epochOf,
    workers: config.workers,
    admission: config.admission,
    logger,
  });
  delivery.tell((type, facts) => orchestrator.events.emit(type, facts));
  const recordings = await openRecordings(loaded, { delivery, orchestrator, logger });
  // What the workers closed last is taken in when they are gone.
  cleanup.defer(() => recordings?.close());
  const rules = await openRules({
    loaded,
    clips: recordings?.clips,
    publish: (records) =>
      delivery.store(records.map((record) => ({ ...record, ...routeOf(record, orchestrator) }))),
    onEvent: ({ type, id, rule, kind, severity, streamId }) =>
      orchestrator.events.emit(type, { eventId: id, rule, kind, severity, streamId }),
    logger,
  });
  if (rules !== undefined) {
    cleanup.defer(() => rules.close());
    if (config.inputs.length === 0) await delivery.serve(rules.service.sink);
  }
  const told = recordEvents(orchestrator, delivery.accept);
  cleanup.defer(() => told);
  cleanup.defer(() => orchestrator.close({ drainMs: config.drainMs }));
  const query = config.query.api ? cleanup.use(openQueries(loaded)) : undefined;
  fleet = await openFleet(loaded, orchestrator, { detector });
  cleanup.defer(() => fleet?.close());
  const http = { ...config.http, ...(options.port === undefined ? {} : { port: options.port }) };
  const { app, url } = await listen({
    orchestrator,
    delivery,
    engines,
    logger,
    version: options.version,
    modelsDir: loaded.modelsDir,
    rules: rules?.view,
    query,
    fleet: fleet?.control,
    http,
    ...(recordings === undefined ? {} : { recordings }),
  });
  rules?.start();
  cleanup.defer(() => app.close());

  const quit = new AbortController();
  // The fleet's streams end before the others: someone waits for them.
  const drains = config.fleet === undefined ? 1 : 2;
  const limitMs = drains * config.drainMs + STOP_GRACE_MS;
  const { pipelinesDir: dir } = place;
  const { events } = orchestrator;
  const folder =
    dir === undefined
      ? undefined
      : cleanup.use(new ConfigFolder({ dir, orchestrator, events, logger }));
  // A terminal that is closed ends its programs by SIGHUP; without one it asks to read the configuration again.
  const onHangUp = folder && !terminal ? () => void folder.scan() : undefined;
  const stop = shutdownRequested({ logger, limitMs, quit: quit.signal, onHangUp });
  logger.info({ url, dataDir: loaded.dataDir }, 'server.listening');
  await orchestrator.start({ pipelines: config.pipelines });
  await folder?.start();
  recordings?.start();
  cleanup.defer(startHeartbeats({ orchestrator, delivery, epochOf, everyMs: config.heartbeatMs }));
  fleet?.start();
  if (config.nvidiaRest !== undefined) {
    const nvidia = await startNvidiaRest({
      ...config.nvidiaRest,
      ...{ orchestrator, logger, onQuit: () => quit.abort() },
      notReadyBecause: () => notReadyBecause(delivery),
    });
    cleanup.use(nvidia);
    logger.info({ url: nvidia.url, compat: config.nvidiaRest.compat }, 'nvidia.listening');
    say(`nvidia   ${nvidia.url}/api/v1/`);
  }
  say(`page     ${url}/   (API: ${url}/docs)`);
  say(`data     ${loaded.dataDir}`);
  const shown = new AbortController();
  if (terminal) {
    const read = () => statusLine(orchestrator.listStreams(), delivery.control.sinks());
    showStatus(read, { signal: shown.signal, stream: process.stdout });
  }

  const signal = await stop;
  shown.abort();
  logger.info({ signal }, 'server.stopping');
  say('stopping…');
}

/**
 * Its servers and clients take a quarter of a second to load. Not in serve() itself: TypeScript 6.0 leaves the `.ts` of an
 * import() as it is in a function with `await using`, and there is no such file in dist/.
 */
async function openDemo(
  ...given: Parameters<typeof import('./demo.ts').startDemo>
): Promise<AsyncDisposable> {
  const { startDemo } = await import('./demo.ts');
  return startDemo(...given);
}

function notReadyBecause(delivery: DeliveryService): readonly string[] {
  const { state } = delivery.control.outbox();
  return state === 'ok' ? [] : [`the outbox is ${state}`];
}

interface ListenOptions {
  readonly orchestrator: Orchestrator;
  readonly delivery: DeliveryService;
  readonly engines: Engines;
  readonly logger: Logger;
  readonly version: string;
  readonly modelsDir: string;
  readonly rules: RulesView | undefined;
  readonly recordings?: RecordingsView;
  readonly query: QueryView | undefined;
  readonly fleet: FleetControl | undefined;
  readonly http: { readonly host: string; readonly port: number };
}

async function listen(options: ListenOptions) {
  const { orchestrator, delivery, engines, logger, version, modelsDir, http } = options;
  const { rules, recordings, query, fleet } = options;
  const app = await buildApp({
    orchestrator,
    logger,
    version,
    delivery: delivery.control,
    live: delivery.live,
    engines: engines.view,
    models: modelsView(modelsDir),
    rules,
    ...(recordings === undefined ? {} : { recordings }),
    query,
    fleet,
    notReadyBecause: () => notReadyBecause(delivery),
  });
  try {
    return { app, url: await app.listen(http) };
  } catch (cause) {
    await app.close();
    if ((cause as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw cause;
    throw new SightlineError(
      'SL_PORT_TAKEN',
      `Cannot listen on ${http.host}:${http.port}: another program does. Choose another with --port or http.port`,
      { cause },
    );
  }
}
