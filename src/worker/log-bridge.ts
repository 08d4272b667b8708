import type { Addon } from '../gst/load-addon.ts';
import { createRedactor } from '../gst/redact.ts';
import type { Graph } from '../pipeline/graph.ts';
import type { LogEvent } from './protocol.ts';

interface KeptLine {
  readonly level: 'warn' | 'error';
  readonly category: string;
  readonly element: string;
  readonly message: string;
}

interface KeptLogs {
  readonly dropped: number;
  readonly lines: readonly KeptLine[];
}

interface Seen {
  readonly line: KeptLine;
  readonly sinceMs: number;
  repeats: number;
}

/** A line that was just reported is only counted for this long: an unreachable camera says the same again and again. */
const REPEAT_WINDOW_MS = 60_000;
/** Different lines remembered at a time. */
const MAX_SEEN = 200;

/** Turns GStreamer's warnings and errors into log events; floods and repetitions become counts. */
export class LogBridge {
  readonly #addon: Addon;
  readonly #redactors = new Set<(text: string) => string>();
  /** Of graphs that are gone; lines that they left behind are still to be taken. */
  readonly #leaving = new Set<(text: string) => string>();
  readonly #seen = new Map<string, Seen>();

  constructor(addon: Addon) {
    this.#addon = addon;
  }

  /** Takes the graph's secrets out of every line, until the function that it returns is called. */
  watch(graph: Graph): () => void {
    const redactor = createRedactor(graph);
    this.#redactors.add(redactor);
    return () => void this.#leaving.add(redactor);
  }

  /** What is to be reported now. `nowMs` is monotonic. */
  take(nowMs: number = performance.now()): readonly LogEvent[] {
    const { dropped, lines } = JSON.parse(this.#addon.takeLogs()) as KeptLogs;
    const events: LogEvent[] = this.#forget(nowMs);
    for (const { message, ...about } of lines) {
      const line = { ...about, message: this.#withoutSecrets(message) };
      const key = `${line.category} ${line.element} ${line.message}`;
      const seen = this.#seen.get(key);
      if (seen !== undefined) {
        seen.repeats += 1;
        continue;
      }
      if (this.#seen.size < MAX_SEEN) this.#seen.set(key, { line, sinceMs: nowMs, repeats: 0 });
      events.push(this.#eventOf(line));
    }
    if (dropped > 0) {
      events.push({
        event: 'log',
        level: 'warn',
        msg: 'gstreamer.logs_dropped',
        fields: { dropped },
      });
    }
    for (const redactor of this.#leaving) this.#redactors.delete(redactor);
    this.#leaving.clear();
    return events;
  }

  /** Ends the windows that are over; lines that came again within theirs are reported with their number. */
  #forget(nowMs: number): LogEvent[] {
    const events: LogEvent[] = [];
    for (const [key, { line, sinceMs, repeats }] of this.#seen) {
      if (nowMs - sinceMs < REPEAT_WINDOW_MS) continue;
      this.#seen.delete(key);
      if (repeats > 0) events.push(this.#eventOf(line, { repeats }));
    }
    return events;
  }

  #eventOf(line: KeptLine, more: Readonly<Record<string, unknown>> = {}): LogEvent {
    const { level, ...fields } = line;
    return { event: 'log', level, msg: 'gstreamer.log', fields: { ...fields, ...more } };
  }

  #withoutSecrets(text: string): string {
    return [...this.#redactors].reduce((clean, redact) => redact(clean), text);
  }
}
