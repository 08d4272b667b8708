import type { Logger } from '../common/logger.ts';

/** A terminal's Ctrl-C can arrive twice, from the terminal and from npm: that is still one wish. */
const SAME_SIGNAL_MS = 500;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Resolves at the first signal that asks the process to end, or when `quit` aborts. A second signal, or the limit
 * running out after the first, ends the process at once with status 1: what is accepted is on the disk.
 */
export function shutdownRequested(options: {
  readonly logger: Logger;
  readonly limitMs: number;
  readonly quit?: AbortSignal;
  /** What SIGHUP is for, in place of an end. */
  readonly onHangUp?: (() => void) | undefined;
}): Promise<NodeJS.Signals | 'quit'> {
  const { logger, limitMs, quit, onHangUp } = options;
  return new Promise((resolve) => {
    let firstAt: number | undefined;
    const onSignal = (signal: NodeJS.Signals | 'quit'): void => {
      const now = performance.now();
      if (firstAt === undefined) {
        firstAt = now;
        setTimeout(() => {
          logger.error({ limitMs }, 'server.stop-timeout');
          process.exit(1);
        }, limitMs).unref();
        resolve(signal);
      } else if (now - firstAt > SAME_SIGNAL_MS) {
        logger.warn({ signal }, 'server.stopped-at-once');
        process.exit(1);
      }
    };
    for (const signal of SIGNALS) {
      process.on(signal, signal === 'SIGHUP' && onHangUp !== undefined ? onHangUp : onSignal);
    }
    quit?.addEventListener('abort', () => onSignal('quit'), { once: true });
  });
}
