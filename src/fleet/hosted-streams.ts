import { toSightlineError } from '../common/errors.ts';
import type { TellFleet } from './assigner.ts';
import type { ToRun } from './assignment-documents.ts';
import type { DesiredStream, DesiredStreams } from './desired-streams.ts';
import type { NodeFence } from './node-fence.ts';

/** What runs streams on this node; the orchestrator behind a few words. */
export interface StreamHost {
  /** Resolves when the start has begun. Throws when it cannot: it is tried again. */
  start(id: string, spec: DesiredStream['spec']): Promise<void>;
  /** The same stream with another spec, with as little disturbance as there can be. */
  change(id: string, spec: DesiredStream['spec']): Promise<void>;
  /** Resolves when nothing of it runs any more. `drain`: what is under way may be finished. */
  stop(id: string, options: { readonly drain: boolean }): Promise<void>;
  /** Cores: those for streams, those in use, and what each stream would take. */
  load(): {
    readonly capacity: number;
    readonly used: number;
    readonly streams: ReadonlyMap<string, number>;
  };
}

export interface HostedStreamsOptions {
  readonly host: StreamHost;
  readonly desired: DesiredStreams;
  readonly fence: NodeFence;
  readonly tell: TellFleet;
}

interface Hosted {
  readonly epoch: number;
  generation: number;
  /** What happens to it, one after the other. */
  work: Promise<void>;
  state: 'starting' | 'running' | 'failed' | 'stopping';
  triedMs: number;
}

/** A stream that could not be started is tried again after so long. */
const RETRY_MS = 10_000;

/** Makes the streams that run on this node be those it was given. */
export class HostedStreams {
  readonly #options: HostedStreamsOptions;
  readonly #hosted = new Map<string, Hosted>();

  constructor(options: HostedStreamsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#hosted.size;
  }

  /**
   * Begins what is to begin, and resolves when everything that is to end has ended. Never rejects. `holds` says whether
   * the streams are still this node's: nothing begins otherwise.
   */
  async become(
    streams: ReadonlyMap<string, ToRun>,
    nowMs: number,
    holds: () => boolean,
  ): Promise<void> {
    const ends = [...this.#hosted].filter(([id, { epoch }]) => streams.get(id)?.epoch !== epoch);
    await Promise.all(ends.map(([id]) => this.#end(id, true)));
    if (!holds()) return;
    for (const [id, toRun] of streams) {
      const hosted = this.#hosted.get(id);
      if (hosted === undefined) this.#begin(id, toRun, nowMs);
      else if (hosted.state === 'failed' && nowMs - hosted.triedMs >= RETRY_MS) {
        this.#begin(id, toRun, nowMs);
      } else if (hosted.state === 'running' && hosted.generation !== toRun.generation) {
        this.#change(id, hosted, toRun.generation);
      }
    }
  }

  /** Ends all. */
  async endAll(options: { readonly drain: boolean }): Promise<void> {
    await Promise.all([...this.#hosted.keys()].map((id) => this.#end(id, options.drain)));
  }

  #begin(id: string, { epoch, generation }: ToRun, nowMs: number): void {
    const { fence, host, desired } = this.#options;
    const hosted: Hosted = {
      ...{ epoch, generation, state: 'starting', triedMs: nowMs },
      work: Promise.resolve(),
    };
    this.#hosted.set(id, hosted);
    fence.own(id, epoch);
    hosted.work = this.#try(id, hosted, async () => {
      const wanted = await desired.get(id);
      // Nobody wants it any more: the assigner will say so.
      if (wanted === undefined) return;
      await host.start(id, wanted.spec);
      hosted.generation = wanted.generation;
    });
  }

  #change(id: string, hosted: Hosted, generation: number): void {
    hosted.state = 'starting';
    hosted.work = this.#try(id, hosted, async () => {
      const wanted = await this.#options.desired.get(id);
      if (wanted !== undefined) await this.#options.host.change(id, wanted.spec);
      hosted.generation = Math.max(generation, wanted?.generation ?? 0);
    });
  }

  async #try(id: string, hosted: Hosted, work: () => Promise<void>): Promise<void> {
    try {
      await work();
      if (hosted.state === 'starting') hosted.state = 'running';
    } catch (error) {
      const { code, message } = toSightlineError(error);
      if (hosted.state === 'starting') hosted.state = 'failed';
      this.#options.tell('fleet.stream.failed', { streamId: id, code, message });
    }
  }

  async #end(id: string, drain: boolean): Promise<void> {
    const { host, fence, tell } = this.#options;
    const hosted = this.#hosted.get(id);
    if (hosted === undefined) return;
    if (hosted.state !== 'stopping') {
      hosted.state = 'stopping';
      hosted.work = hosted.work.then(async () => {
        try {
          await host.stop(id, { drain });
        } catch (error) {
          const { code, message } = toSightlineError(error);
          tell('fleet.stream.failed', { streamId: id, code, message });
        }
        fence.disown(id);
        this.#hosted.delete(id);
      });
    }
    await hosted.work;
  }
}
