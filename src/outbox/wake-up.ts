/** Lets one loop sleep until it is woken or a limit passes. A wake-up that nobody waits for is kept. */
export class WakeUp {
  #isSet = false;
  #release: (() => void) | undefined;

  wake(): void {
    this.#isSet = true;
    this.#release?.();
  }

  async wait(limitMs: number): Promise<void> {
    if (!this.#isSet) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, limitMs);
        this.#release = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#release = undefined;
    this.#isSet = false;
  }
}
