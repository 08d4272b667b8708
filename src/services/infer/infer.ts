import { Cleanup } from '../../common/cleanup.ts';
import { SightlineError } from '../../common/errors.ts';
import { createLogger } from '../../common/logger.ts';
import { Histogram, SECONDS } from '../../outbox/histogram.ts';
import { shutdownRequested } from '../shutdown.ts';
import { loadInferConfig } from './config.ts';
import { inferApp } from './http.ts';
import { openInference } from './service.ts';

export interface InferOptions {
  readonly config: string;
  readonly version: string;
  /** In place of the configured HTTP port. */
  readonly port?: number;
}

/** Beyond the time to finish: for the workers to leave, the queue, the sinks, the files. */
const STOP_GRACE_MS = 8_000;

/**
 * Works through a queue of frames until a signal ends it.
 * @throws SightlineError when it cannot start; nothing is left running then
 */
export async function infer({ config: file, version, port }: InferOptions): Promise<void> {
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  const loaded = await loadInferConfig(file);
  const { config } = loaded;
  const terminal = process.stdout.isTTY === true;
  const logger = createLogger({ level: config.logLevel, pretty: terminal });
  await using cleanup = new Cleanup();
  const ages = new Map(config.models.map(({ infer }) => [infer.model, new Histogram(SECONDS)]));
  const inference = await openInference({
    ...{ loaded, logger, cleanup },
    onResult: (model, ageMs) => ages.get(model)?.observe(Math.max(0, ageMs) / 1000),
  });
  const app = inferApp(inference, ages, version);
  cleanup.defer(() => app.close());
  const http = { ...config.http, ...(port === undefined ? {} : { port }) };
  const url = await app.listen(http).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'EADDRINUSE') throw cause;
    const message = `Cannot listen on ${http.host}:${http.port}: another program does. Choose another with --port or http.port`;
    throw new SightlineError('SL_PORT_TAKEN', message, { cause });
  });
  const stop = shutdownRequested({ logger, limitMs: config.drainMs + STOP_GRACE_MS });
  logger.info({ url, queue: inference.queue.what, dataDir: loaded.dataDir }, 'infer.listening');
  const signal = await stop;
  logger.info({ signal }, 'infer.stopping');
}
