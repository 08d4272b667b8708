import type { ServerResponse } from 'node:http';

const HEARTBEAT_MS = 15_000;
/** A client that takes nothing for this long is cut off. */
const STALL_MS = 30_000;
const WATCH_MS = 1_000;

export interface SseLineOptions {
  /** Sent when nothing else was for 15 s. */
  readonly heartbeat: () => string;
  /** Asked once a second. */
  readonly mustEnd?: () => boolean;
  /** The client is gone or was cut off. */
  readonly onGone: () => void;
}

/**
 * A text/event-stream to one client (WHATWG HTML, 9.2). At most one write waits in the socket's buffer: `write` resolves
 * when there is room for the next. A client that does not read is cut off.
 */
export class SseLine {
  readonly #raw: ServerResponse;
  readonly #options: SseLineOptions;
  readonly #timer: NodeJS.Timeout;
  #wroteAt = performance.now();
  #waitsSince: number | undefined;

  constructor(raw: ServerResponse, options: SseLineOptions) {
    this.#raw = raw;
    this.#options = options;
    raw.once('close', options.onGone).once('error', options.onGone);
    raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    this.#timer = setInterval(() => this.#watch(), WATCH_MS);
  }

  get isGone(): boolean {
    return this.#raw.destroyed;
  }

  async write(text: string): Promise<void> {
    if (this.#raw.destroyed) return;
    this.#wroteAt = performance.now();
    if (this.#raw.write(text)) return;
    this.#waitsSince = performance.now();
    await new Promise<void>((resolve) => {
      const go = () => {
        this.#raw.off('drain', go).off('close', go);
        resolve();
      };
      this.#raw.once('drain', go).once('close', go);
    });
    this.#waitsSince = undefined;
  }

  /** Idempotent. */
  end(): void {
    clearInterval(this.#timer);
    if (this.#raw.writableNeedDrain) this.#raw.destroy();
    else this.#raw.end();
  }

  #watch(): void {
    const now = performance.now();
    const stalled = this.#waitsSince !== undefined && now - this.#waitsSince > STALL_MS;
    if (stalled || this.#options.mustEnd?.() === true) {
      this.#raw.destroy();
    } else if (this.#waitsSince === undefined && now - this.#wroteAt > HEARTBEAT_MS) {
      this.#wroteAt = now;
      this.#raw.write(this.#options.heartbeat());
    }
  }
}
