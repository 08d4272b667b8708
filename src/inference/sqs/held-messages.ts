import type { MessageClient } from './message-client.ts';

/** From its receipt on SQS keeps no message invisible for longer (12 hours). */
const MAX_HOLD_S = 43_200;

interface Held {
  readonly handle: string;
  readonly sinceMs: number;
  renewedMs: number;
}

export interface HeldMessagesOptions {
  readonly client: MessageClient;
  /** What a message is hidden for, s. */
  readonly visibilityS: number;
  readonly onRenewed: (count: number, failed: number) => void;
}

/** Keeps messages hidden while they are worked on: each is renewed after a third of its time, many in a request. */
export class HeldMessages {
  readonly #options: HeldMessagesOptions;
  readonly #held = new Map<string, Held>();
  readonly #timer: NodeJS.Timeout;
  #renewing: Promise<void> = Promise.resolve();

  constructor(options: HeldMessagesOptions) {
    this.#options = options;
    // Looked at three times as often, so that a message is renewed within 4/9 of its time.
    const periodMs = (options.visibilityS * 1000) / 9;
    this.#timer = setInterval(() => this.#renew(), periodMs);
  }

  get handles(): readonly string[] {
    return [...this.#held.keys()];
  }

  /** `sinceMs`: when its receive request was sent, monotonic. */
  add(handle: string, sinceMs: number): void {
    this.#held.set(handle, { handle, sinceMs, renewedMs: sinceMs });
  }

  /** It has a fate. False when it had one before. */
  drop(handle: string): boolean {
    return this.#held.delete(handle);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#renewing;
  }

  #renew(): void {
    const { visibilityS } = this.#options;
    const now = performance.now();
    const due = [...this.#held.values()].filter(
      ({ sinceMs, renewedMs }) =>
        now - renewedMs >= (visibilityS * 1000) / 3 &&
        (now - sinceMs) / 1000 + visibilityS <= MAX_HOLD_S,
    );
    if (due.length === 0) return;
    for (const held of due) held.renewedMs = now;
    this.#renewing = this.#send(due);
  }

  async #send(due: readonly Held[]): Promise<void> {
    const { client, visibilityS, onRenewed } = this.#options;
    const handles = due.map(({ handle }) => handle);
    const failed = await client.changeVisibility(handles, visibilityS);
    onRenewed(due.length - failed.length, failed.length);
    // Those that are still there are due again at the next look.
    for (const handle of failed) {
      const held = this.#held.get(handle);
      if (held !== undefined) held.renewedMs = Number.NEGATIVE_INFINITY;
    }
  }
}
