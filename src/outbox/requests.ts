import type { Lane } from './lane.ts';
import type { CommitRequest, NewChunk, NewDeadLetter } from './protocol.ts';

type DroppedLane = CommitRequest['dropLanes'][number];
type State = Pick<CommitRequest, 'lanes' | 'dropLanes' | 'deadLetters'>;

/** What the next commit carries besides records, and who waits for it. */
export class StateQueue {
  isDue = false;
  #deadLetters: readonly NewDeadLetter[] = [];
  #dropLanes: readonly DroppedLane[] = [];
  #waiters: (() => void)[] = [];

  /** Payload bytes of the dead letters that no commit has taken. */
  get letterBytes(): number {
    return this.#deadLetters.reduce((sum, { payload }) => sum + payload.byteLength, 0);
  }

  addDeadLetters(letters: readonly NewDeadLetter[]): void {
    if (letters.length > 0) this.#deadLetters = [...this.#deadLetters, ...letters];
  }

  dropLanes(lanes: readonly DroppedLane[]): void {
    if (lanes.length === 0) return;
    const dropped = lanes.map(({ sinkId, kind }) => ({ sinkId, kind }));
    this.#dropLanes = [...this.#dropLanes, ...dropped];
  }

  /** Resolves after the commit that carries the state as it is now. */
  wait(): Promise<void> {
    this.isDue = true;
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  take(lanes: readonly Lane[]): State & { readonly waiters: readonly (() => void)[] } {
    const taken = {
      lanes: lanes.filter((lane) => lane.dirty).map((lane) => lane.takeRow()),
      dropLanes: this.#dropLanes,
      deadLetters: this.#deadLetters,
      waiters: this.#waiters,
    };
    this.isDue = false;
    this.#deadLetters = [];
    this.#dropLanes = [];
    this.#waiters = [];
    return taken;
  }

  /** What a failed commit carried goes with the next one. */
  putBack(state: State, lanes: readonly Lane[]): void {
    const unsaved = new Set(state.lanes.map((row) => `${row.kind}/${row.sinkId}`));
    for (const lane of lanes) if (unsaved.has(`${lane.kind}/${lane.sinkId}`)) lane.dirty = true;
    this.#deadLetters = [...state.deadLetters, ...this.#deadLetters];
    this.#dropLanes = [...state.dropLanes, ...this.#dropLanes];
  }

  giveUp(): void {
    for (const resolve of this.#waiters) resolve();
    this.#waiters = [];
  }
}

/** Of the blobs, which change hands: the cache keeps the chunks' own bytes. */
export function buffersOf(chunks: readonly NewChunk[]): ArrayBuffer[] {
  return chunks.flatMap(({ blobs }) => blobs.map(({ data }) => data.buffer as ArrayBuffer));
}

export function bytesOf(chunks: readonly NewChunk[]): number {
  return chunks.reduce((sum, chunk) => sum + chunk.bytes, 0);
}
