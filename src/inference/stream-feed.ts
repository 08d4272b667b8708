import type { FrameJob } from './frame-job.ts';
import type { FrameLine } from './frame-server.ts';

/** A frame at one model: how often it was the only one in the worker when that failed. */
export interface Task {
  readonly job: FrameJob;
  readonly recordId: string;
  failures: number;
  /** It was in a worker or graph that failed: it goes alone next time. */
  suspect: boolean;
  sentMs: number;
}

/** One camera at one model: its frames in their order, those that wait and those in the graph. */
export class StreamFeed {
  readonly id: string;
  #waiting: Task[] = [];
  readonly #sent = new Map<string, Task>();
  #line: FrameLine | undefined;
  /** Of the newest frame sent on this line. */
  #last: { readonly session: string; readonly sequence: number; readonly atMs: number } | undefined;
  /** Monotonic; a frame came or went. */
  usedMs = performance.now();

  constructor(id: string) {
    this.id = id;
  }

  get connected(): boolean {
    return this.#line !== undefined;
  }
  get inside(): number {
    return this.#sent.size;
  }
  get isEmpty(): boolean {
    return this.#sent.size === 0 && this.#waiting.length === 0;
  }
  get next(): Task | undefined {
    return this.#waiting[0];
  }
  /** When the oldest frame in the graph was sent. */
  get oldestSentMs(): number | undefined {
    const [oldest] = this.#sent.values();
    return oldest?.sentMs;
  }

  /** Puts a frame where its time of capture belongs: a queue gives them in any order. */
  add(task: Task): void {
    this.usedMs = performance.now();
    const at = this.#waiting.findLastIndex((other) => !isBefore(task, other));
    this.#waiting.splice(at + 1, 0, task);
  }

  connect(line: FrameLine): void {
    this.#line = line;
    this.#last = undefined;
  }

  /** Sends the next frame. True when it comes after a later one of its camera. */
  send(model: string): boolean {
    const task = this.#waiting.shift()!;
    const { frame } = task.job;
    const late = this.#isLate(task);
    if (!late) this.#last = frame;
    task.sentMs = performance.now();
    this.#sent.set(task.recordId, task);
    this.#line!.send({ bytes: frame.bytes, suffix: task.job.suffixFor(model), late });
    return late;
  }

  /** Takes out the frame whose result came; undefined for one that is not in the graph. */
  take(recordId: string): Task | undefined {
    const task = this.#sent.get(recordId);
    if (task === undefined) return undefined;
    this.#sent.delete(recordId);
    this.usedMs = performance.now();
    return task;
  }

  /** The graph is gone: what was in it waits again, and is returned. */
  disconnect(): readonly Task[] {
    this.#line = undefined;
    const lost = [...this.#sent.values()];
    this.#sent.clear();
    this.#waiting = [...lost, ...this.#waiting];
    return lost;
  }

  holds(line: FrameLine): boolean {
    return this.#line === line;
  }

  /** Takes out what waits and `unwanted` says so. */
  drop(unwanted: (task: Task) => boolean): readonly Task[] {
    const gone = this.#waiting.filter(unwanted);
    this.#waiting = this.#waiting.filter((task) => !gone.includes(task));
    return gone;
  }

  /** Lower than the last of its session, or of an earlier session. */
  #isLate({ job: { frame } }: Task): boolean {
    if (this.#last === undefined) return false;
    if (frame.session === this.#last.session) return frame.sequence < this.#last.sequence;
    return frame.atMs < this.#last.atMs;
  }
}

function isBefore({ job: a }: Task, { job: b }: Task): boolean {
  if (a.frame.session === b.frame.session) return a.frame.sequence < b.frame.sequence;
  return a.frame.atMs < b.frame.atMs;
}
