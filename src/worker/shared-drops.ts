/**
 * An output that several streams share only knows how many records it dropped, not whose. New drops are shared out by
 * what each stream published since the last look, so that the sum is exact, each share is a fair guess, and none falls.
 */
export class SharedDrops {
  readonly #shares: Map<string, number>;
  readonly #published = new Map<string, number>();
  #dropped = 0;

  constructor(streams: readonly string[]) {
    this.#shares = new Map(streams.map((id) => [id, 0]));
  }

  /** `dropped`: total at the shared outputs. Returns each stream's part of it so far. */
  shareOut(
    dropped: number,
    published: ReadonlyMap<string, { readonly framesPublished: number }>,
  ): ReadonlyMap<string, number> {
    const weights = [...this.#shares.keys()].map((id) => {
      const now = published.get(id)?.framesPublished ?? 0;
      const since = Math.max(0, now - (this.#published.get(id) ?? 0));
      this.#published.set(id, now);
      return [id, since] as const;
    });
    let left = Math.max(0, dropped - this.#dropped);
    this.#dropped += left;
    let weight = weights.reduce((sum, [, since]) => sum + since, 0);
    for (const [index, [id, since]] of weights.entries()) {
      const last = index === weights.length - 1;
      const part = last ? left : weight === 0 ? 0 : Math.round((left * since) / weight);
      this.#shares.set(id, this.#shares.get(id)! + part);
      left -= part;
      weight -= since;
    }
    return this.#shares;
  }
}
