import { SightlineError } from '../../common/errors.ts';

/** The ids of streams that are in use or being made, each with the pipeline it belongs to. */
export class StreamNames {
  readonly #owners = new Map<string, string>();

  ownerOf(streamId: string): string | undefined {
    return this.#owners.get(streamId);
  }

  /**
   * Takes the names that the pipeline does not have yet, all or none, and returns them. Throws `SL_CONFLICT` for one of
   * another pipeline, and for one that stands twice.
   */
  claim(pipelineId: string, streamIds: readonly string[]): readonly string[] {
    const taken = streamIds.find((id, index) => {
      const owner = this.#owners.get(id);
      return (owner !== undefined && owner !== pipelineId) || streamIds.includes(id, index + 1);
    });
    if (taken !== undefined) throw conflict(`stream '${taken}'`);
    const fresh = streamIds.filter((id) => !this.#owners.has(id));
    for (const id of fresh) this.#owners.set(id, pipelineId);
    return fresh;
  }

  /** Frees the pipeline's names but those in `kept`. */
  releaseUnless(pipelineId: string, kept: ReadonlySet<string>): void {
    for (const [id, owner] of this.#owners) {
      if (owner === pipelineId && !kept.has(id)) this.#owners.delete(id);
    }
  }

  release(streamIds: readonly string[]): void {
    for (const id of streamIds) this.#owners.delete(id);
  }
}

export function conflict(what: string): SightlineError {
  return new SightlineError(
    'SL_CONFLICT',
    `Cannot create ${what}: there is one with this id already. Remove it first, or choose another id.`,
  );
}
