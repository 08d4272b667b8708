import { canRun, type NodeRoom } from './assign.ts';
import type { TellFleet } from './assigner.ts';

/** Streams that none of the nodes there are can run, each told once until it can be run. */
export class Stranded {
  readonly #tell: TellFleet;
  readonly #told = new Set<string>();

  constructor(tell: TellFleet) {
    this.#tell = tell;
  }

  /** Those that are stranded now. Without nodes none is: some may come. */
  look(
    wanted: ReadonlyMap<string, { readonly detector: boolean }>,
    rooms: readonly NodeRoom[],
  ): readonly string[] {
    const stranded = [...wanted]
      .filter(([, stream]) => rooms.length > 0 && !rooms.some((node) => canRun(node, stream)))
      .map(([id]) => id);
    const now = new Set(stranded);
    for (const id of this.#told) if (!now.has(id)) this.#told.delete(id);
    for (const id of stranded) {
      if (this.#told.has(id)) continue;
      this.#told.add(id);
      this.#tell('fleet.stream.failed', {
        streamId: id,
        code: 'SL_BACKEND_UNSUPPORTED',
        message:
          'It needs a detector, and all boxes of the fleet are receivers: add one that serves, or leave out "infer"',
      });
    }
    return stranded;
  }
}
