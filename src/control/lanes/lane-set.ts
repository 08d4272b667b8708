import { Lane, type LaneOptions } from './lane.ts';
import type { LaneHost } from './lane-host.ts';

/** The lanes of one pipeline, and which of them speaks for each stream. */
export class LaneSet {
  readonly #host: LaneHost;
  readonly #lanes = new Set<Lane>();
  readonly #owners = new Map<string, Lane>();
  #order = 0;

  constructor(host: LaneHost) {
    this.#host = host;
  }

  get all(): readonly Lane[] {
    return [...this.#lanes];
  }

  /** Where new streams go: the one that runs most. Undefined while there is none. */
  get home(): Lane | undefined {
    const homes = this.all.filter(({ name, closing }) => name !== 'next' && !closing);
    return homes.find(({ name }) => name === 'main') ?? homes[0];
  }

  ownerOf(streamId: string): Lane | undefined {
    return this.#owners.get(streamId);
  }

  /** A lane that does not run yet and speaks for no stream. */
  create(options: Omit<LaneOptions, 'order'>): Lane {
    this.#order += 1;
    const lane = new Lane({ ...options, order: this.#order }, this.#host);
    this.#lanes.add(lane);
    return lane;
  }

  /** The lane speaks for the streams from now on. */
  own(lane: Lane, streamIds: Iterable<string>): void {
    for (const id of streamIds) {
      const former = this.#owners.get(id);
      if (former === lane) continue;
      former?.streams.disown(id);
      this.#owners.set(id, lane);
      lane.streams.own(id);
    }
  }

  /** Nobody speaks for the stream any more. */
  forget(streamId: string): void {
    for (const lane of this.#lanes) lane.streams.remove(streamId);
    this.#owners.delete(streamId);
  }

  /**
   * Whether a record of the stream from this lane is taken. The first one of a later lane makes it the stream's: from
   * then on those of the former are refused.
   */
  admits(lane: Lane, streamId: string, session: string): boolean {
    const owner = this.#owners.get(streamId);
    if (owner === lane || owner === undefined) return true;
    if (!this.#lanes.has(lane) || lane.order < owner.order || !lane.streams.has(streamId)) {
      return false;
    }
    lane.streams.noteSession(streamId, session);
    this.own(lane, [streamId]);
    return true;
  }

  /** Ends a lane that failed to take over: whatever comes from it still is refused. */
  async discard(lane: Lane): Promise<void> {
    this.#lanes.delete(lane);
    await lane.close({ drainMs: 0 });
  }

  /** Ends a lane and forgets it. What still comes from it of streams that are another's is refused. */
  async end(lane: Lane, drainMs: number): Promise<void> {
    await lane.close({ drainMs });
    this.#lanes.delete(lane);
  }
}
