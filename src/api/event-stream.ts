import type { ServerResponse } from 'node:http';
import type { ControlEvent, EventSubscription } from '../control/types.ts';

const HEARTBEAT_MS = 15_000;
/** A client that takes nothing for this long is cut off. */
const STALL_MS = 30_000;
const WATCH_MS = 1_000;

function toText(event: ControlEvent): string {
  return `id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

/**
 * Writes a subscription to one client. What waits for the client is bounded: the queue of the subscription, and one
 * event in the socket's buffer; when the client does not read, it is cut off, and can resume by the last id it got.
 */
export class EventStream {
  readonly #raw: ServerResponse;
  readonly #subscription: EventSubscription;
  readonly #wants: (event: ControlEvent) => boolean;
  #lastId: number;
  #wroteAt = performance.now();
  #waitsSince: number | undefined;

  constructor(
    raw: ServerResponse,
    subscription: EventSubscription,
    wants: (event: ControlEvent) => boolean,
    startId: number,
  ) {
    this.#raw = raw;
    this.#subscription = subscription;
    this.#wants = wants;
    this.#lastId = startId;
  }

  /** Resolves when the client is gone, was cut off, or the subscription has ended. */
  async run(): Promise<void> {
    const raw = this.#raw;
    if (raw.destroyed) return;
    const end = () => this.#subscription.close();
    raw.once('close', end).once('error', end);
    const watch = setInterval(() => this.#watch(), WATCH_MS);
    try {
      raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
      // The id tells where the client is before the first event came: it misses none when the line breaks now.
      const start = this.#subscription.reset ? 'event: reset\ndata: {}\n' : '';
      await this.#write(`${start}id: ${this.#lastId}\n\n`);
      for await (const event of this.#subscription) {
        this.#lastId = event.id;
        if (this.#wants(event)) await this.#write(toText(event));
      }
    } finally {
      clearInterval(watch);
      if (raw.writableNeedDrain) raw.destroy();
      else raw.end();
    }
  }

  async #write(text: string): Promise<void> {
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

  #watch(): void {
    const now = performance.now();
    const stalled = this.#waitsSince !== undefined && now - this.#waitsSince > STALL_MS;
    if (stalled || this.#subscription.ended === 'slow') {
      this.#raw.destroy();
    } else if (this.#waitsSince === undefined && now - this.#wroteAt > HEARTBEAT_MS) {
      // The id moves on also over events that the client did not ask for: it resumes where it really is.
      this.#wroteAt = now;
      this.#raw.write(`id: ${this.#lastId}\n\n`);
    }
  }
}
