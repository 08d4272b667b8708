import type { Addon } from '../gst/load-addon.ts';
import { createRedactor } from '../gst/redact.ts';
import type { Graph } from '../pipeline/graph.ts';
import type { LogEvent } from './protocol.ts';

interface KeptLogs {
  readonly dropped: number;
  readonly lines: readonly {
    readonly level: 'warn' | 'error';
    readonly category: string;
    readonly element: string;
    readonly message: string;
  }[];
}

/** Turns GStreamer's warnings and errors into log events: as many as the addon keeps between two calls, the rest counted. */
export class LogBridge {
  readonly #addon: Addon;
  readonly #redactors: readonly ((text: string) => string)[];

  constructor(addon: Addon, graphs: readonly Graph[]) {
    this.#addon = addon;
    this.#redactors = graphs.map(createRedactor);
  }

  take(): readonly LogEvent[] {
    const { dropped, lines } = JSON.parse(this.#addon.takeLogs()) as KeptLogs;
    const events = lines.map(({ level, category, element, message }): LogEvent => {
      const clean = this.#redactors.reduce((text, redact) => redact(text), message);
      return {
        event: 'log',
        level,
        msg: 'gstreamer.log',
        fields: { category, element, message: clean },
      };
    });
    if (dropped === 0) return events;
    return [
      ...events,
      { event: 'log', level: 'warn', msg: 'gstreamer.logs_dropped', fields: { dropped } },
    ];
  }
}
