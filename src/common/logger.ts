import { type Logger, pino } from 'pino';

export type { Logger };

/**
 * The process's root logger: JSON lines on stdout, or readable lines when `pretty` (a terminal).
 * `msg` holds the event's name (`stream.live`), the facts are fields.
 */
export function createLogger(
  options: { level?: string; pretty?: boolean; name?: string } = {},
): Logger {
  const { level = 'info', pretty = false, name } = options;
  return pino({
    level,
    ...(name === undefined ? {} : { name }),
    base: { pid: process.pid },
    formatters: { level: (label) => ({ level: label }) },
    timestamp: pino.stdTimeFunctions.isoTime,
    ...(pretty
      ? {
          transport: { target: 'pino-pretty', options: { ignore: 'pid,hostname', destination: 2 } },
        }
      : {}),
  });
}
