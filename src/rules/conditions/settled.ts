/** A yes or no that changes only after the other has been seen for a while without a break. */
export class Settled {
  readonly #upMs: number;
  readonly #downMs: number;
  #value = false;
  #sinceMs = 0;
  #otherSinceMs: number | undefined;

  /** @param upMs before it is true, and `downMs` before it is false again */
  constructor(upMs: number, downMs: number) {
    this.#upMs = upMs;
    this.#downMs = downMs;
  }

  get value(): boolean {
    return this.#value;
  }

  /** First time the present value was seen. */
  get sinceMs(): number {
    return this.#sinceMs;
  }

  /** Whether the value changes with what is seen now. */
  update(seen: boolean, tMs: number): boolean {
    if (seen === this.#value) {
      this.#otherSinceMs = undefined;
      return false;
    }
    this.#otherSinceMs ??= tMs;
    if (tMs - this.#otherSinceMs < (seen ? this.#upMs : this.#downMs)) return false;
    this.#value = seen;
    this.#sinceMs = this.#otherSinceMs;
    this.#otherSinceMs = undefined;
    return true;
  }
}
