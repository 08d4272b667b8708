import type { EventFacts } from '../event-log.ts';
import type { Reason } from '../types.ts';
import type { Lane, LaneOptions } from './lane.ts';
import type { LaneSet } from './lane-set.ts';
import type { Program } from './program.ts';
import { RestartPolicy } from './restart-policy.ts';
import type { WorkerSettings } from './settings.ts';
import type { StreamSet } from './stream-set.ts';

/** So many deaths of a worker with nothing but one stream in it prove that it is the stream. */
const PROOF_DEATHS = 2;
const MERGE_CHECKS = 10;

export interface BisectionOptions {
  readonly lanes: LaneSet;
  readonly streams: StreamSet;
  readonly settings: WorkerSettings;
  readonly program: () => Program;
  readonly emit: (type: string, facts: EventFacts) => void;
  /** All streams that are not over go back to one worker, without a gap. */
  readonly merge: () => Promise<void>;
}

/**
 * Finds the stream that crashes a pipeline of several: they are split into two workers, then the half that crashes again,
 * until a stream alone does. It is quarantined and tried again alone each hour; the others go back to one worker.
 */
export class Bisection {
  readonly #options: BisectionOptions;
  /** Lanes of quarantined streams that are tried again. */
  readonly #trials = new Set<Lane>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #found = false;
  #merging: NodeJS.Timeout | undefined;

  constructor(options: BisectionOptions) {
    this.#options = options;
  }

  /** A worker is dead. True when its streams went elsewhere: its lane ends. */
  onDeath(lane: Lane, reason: Reason): boolean {
    const ids = lane.streams.running;
    const { crashes } = lane.restarts;
    if (lane.name === 'next' || crashes === 0) return false;
    if (lane.name === 'solo') {
      if (crashes < PROOF_DEATHS && !this.#trials.has(lane)) return false;
      this.#quarantine(lane, reason);
      return true;
    }
    const { suspectDeaths } = this.#options.settings.restart;
    if (ids.length < 2 || (lane.name === 'main' && crashes < suspectDeaths)) return false;
    this.#split(lane, ids, reason);
    return true;
  }

  /** These streams hang in their worker, the others of the lane do not: they are tried alone, and that was the first time. */
  setApart(lane: Lane, ids: readonly string[], reason: Reason): void {
    const { lanes, settings } = this.#options;
    for (const id of ids) lanes.forget(id);
    const restarts = new RestartPolicy(settings.restart, () => performance.now());
    restarts.died(0, true);
    this.#run(lane.program, ids, reason, { restarts });
    this.#awaitCalm();
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    clearInterval(this.#merging);
  }

  #split(lane: Lane, ids: readonly string[], reason: Reason): void {
    const middle = Math.ceil(ids.length / 2);
    const halves = [ids.slice(0, middle), ids.slice(middle)];
    const { code, message } = reason;
    this.#options.emit('worker.bisecting', { halves, code, message });
    for (const half of halves) this.#run(lane.program, half, reason);
    void this.#options.lanes.end(lane, 0);
    this.#awaitCalm();
  }

  #run(
    program: Program,
    ids: readonly string[],
    reason: Reason,
    more: Pick<LaneOptions, 'restarts'> = {},
  ): Lane {
    const { lanes, streams } = this.#options;
    const name = ids.length === 1 ? 'solo' : 'suspects';
    const lane = lanes.create({ ...more, name, program, streamIds: ids });
    for (const id of ids) streams.get(id)?.enter('backoff', { reason, retryInMs: 0 });
    lanes.own(lane, ids);
    lane.start();
    return lane;
  }

  #quarantine(lane: Lane, { message }: Reason): void {
    const { lanes, streams, settings } = this.#options;
    const { crashes: crashesAlone } = lane.restarts;
    for (const id of lane.streams.running) {
      const hours = Math.round(settings.quarantineMs / 360_000) / 10;
      const reason: Reason = {
        code: 'SL_STREAM_QUARANTINED',
        message: `The worker died with this stream alone in it; it is tried again in ${hours} h, or when its spec is changed. The last death: ${message}`,
      };
      const retryInMs = settings.quarantineMs;
      streams.get(id)?.enter('quarantined', { reason, retryInMs, observed: { crashesAlone } });
      lanes.forget(id);
      this.#later(retryInMs, () => this.#tryAgain(id, reason));
    }
    this.#trials.delete(lane);
    this.#found = true;
    void lanes.end(lane, 0);
  }

  #tryAgain(id: string, reason: Reason): void {
    const { streams, program } = this.#options;
    if (streams.get(id)?.state !== 'quarantined' || !program().streamIds.includes(id)) return;
    streams.revive([id]);
    this.#trials.add(this.#run(program(), [id], reason));
    this.#awaitCalm();
  }

  /** Once no worker has died for long enough, all go back to one. */
  #awaitCalm(): void {
    const { settings } = this.#options;
    const everyMs = Math.min(settings.restart.healthyMs, settings.acquitMs) / MERGE_CHECKS;
    this.#merging ??= setInterval(() => this.#mergeIfCalm(), everyMs);
  }

  #mergeIfCalm(): void {
    const { lanes, settings, merge } = this.#options;
    const calmFor = (lane: Lane) =>
      this.#found && !this.#trials.has(lane) ? settings.restart.healthyMs : settings.acquitMs;
    const running = lanes.all.filter((lane) => lane.streams.running.length > 0);
    if (!running.every((lane) => lane.ready && lane.ranMs >= calmFor(lane))) return;
    clearInterval(this.#merging);
    this.#merging = undefined;
    this.#trials.clear();
    this.#found = false;
    const [only] = running;
    if (only === undefined || (running.length === 1 && only.name === 'main')) return;
    // What keeps it from that is told by its events: they go on as they are, and the next search begins from there.
    merge().catch(() => undefined);
  }

  #later(afterMs: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, afterMs);
    timer.unref();
    this.#timers.add(timer);
  }
}
