/** Does work one after the other; a failure holds up nothing. */
export class Serial {
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  get idle(): boolean {
    return this.#waiting === 0;
  }

  run<T>(work: () => T | Promise<T>): Promise<T> {
    this.#waiting += 1;
    const done = this.#last.then(work).finally(() => {
      this.#waiting -= 1;
    });
    this.#last = done.catch(() => undefined);
    return done;
  }
}

/** One `Serial` a key, for as long as it has work. */
export class KeyedSerial {
  readonly #queues = new Map<string, Serial>();

  async run<T>(key: string, work: () => T | Promise<T>): Promise<T> {
    const queue = this.#queues.get(key) ?? new Serial();
    this.#queues.set(key, queue);
    try {
      return await queue.run(work);
    } finally {
      if (queue.idle && this.#queues.get(key) === queue) this.#queues.delete(key);
    }
  }
}
