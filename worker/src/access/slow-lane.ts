// Turns for what takes much work and is likely in vain: so rarely that all else goes on beside it. Knows no passwords.

export class SlowLane {
  readonly #interval: number;
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;

  /** `interval` is that from one turn to the next, in milliseconds. */
  constructor(interval: number) {
    this.#interval = interval;
  }

  /** Resolves at the next free turn with `true`, or at once with `false` when too many wait for theirs. */
  async turn(): Promise<boolean> {
    if (this.#waiting === MOST_WAITING) return false;
    this.#waiting += 1;
    this.#last = this.#last.then(() => new Promise((resolve) => setTimeout(resolve, this.#interval)));
    await this.#last;
    this.#waiting -= 1;
    return true;
  }
}

const MOST_WAITING = 2;
