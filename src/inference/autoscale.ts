/** What says how many processes should share the queue. */
export interface LoadSignal {
  /** Messages that wait or are being worked on, by whomever; undefined: the queue does not say. */
  readonly backlogFrames: number | undefined;
  /** Frames that this process works on. */
  readonly inFlightFrames: number;
  /** Frames that this process finished, a second, since the look before. */
  readonly framesPerSecond: number;
  /** Frames that it finishes a second while its models are busy; undefined before there was one. */
  readonly capacityPerSecond: number | undefined;
  /** Of the frames being worked on, ms. */
  readonly oldestAgeMs: number;
  /** Processes that would work off the backlog within the target; 0: there is none. Undefined with the backlog. */
  readonly wantedReplicas: number | undefined;
}

/** Figures since the start, and of now. */
export interface LoadSample {
  readonly backlogFrames: number | undefined;
  readonly inFlightFrames: number;
  readonly doneFrames: number;
  /** Of the busiest model: time during which it had a frame, ms. */
  readonly busyMs: number;
  readonly oldestAgeMs: number;
}

export interface AutoscaleOptions {
  /** Within this the wanted processes would work off what waits, s. */
  readonly targetS: number;
  readonly maxReplicas: number;
}

/** Busy for less, a look says nothing of what a process can do. */
const MIN_BUSY_MS = 100;
const NEWEST_WEIGHT = 0.3;

/** From looks at a process and its queue to how many such processes there should be. */
export class Autoscale {
  readonly #options: AutoscaleOptions;
  #before: { readonly sample: LoadSample; readonly atMs: number } | undefined;
  #capacity: number | undefined;
  #signal: LoadSignal | undefined;

  constructor(options: AutoscaleOptions) {
    this.#options = options;
  }

  /** Of the last look; undefined before the first. */
  get signal(): LoadSignal | undefined {
    return this.#signal;
  }

  /** @param atMs monotonic */
  look(sample: LoadSample, atMs: number): LoadSignal {
    const before = this.#before;
    this.#before = { sample, atMs };
    const done = before === undefined ? 0 : sample.doneFrames - before.sample.doneFrames;
    const busyMs = before === undefined ? 0 : sample.busyMs - before.sample.busyMs;
    if (busyMs >= MIN_BUSY_MS) this.#learn((done * 1000) / busyMs);
    const { backlogFrames, inFlightFrames, oldestAgeMs } = sample;
    this.#signal = {
      ...{ backlogFrames, inFlightFrames, oldestAgeMs },
      framesPerSecond: before === undefined ? 0 : (done * 1000) / Math.max(1, atMs - before.atMs),
      capacityPerSecond: this.#capacity,
      wantedReplicas: backlogFrames === undefined ? undefined : this.#wanted(backlogFrames),
    };
    return this.#signal;
  }

  #learn(perSecond: number): void {
    const known = this.#capacity ?? perSecond;
    this.#capacity = known + NEWEST_WEIGHT * (perSecond - known);
  }

  #wanted(backlog: number): number {
    if (backlog === 0) return 0;
    const { targetS, maxReplicas } = this.#options;
    if (!this.#capacity) return 1;
    return Math.min(maxReplicas, Math.ceil(backlog / (this.#capacity * targetS)));
  }
}
