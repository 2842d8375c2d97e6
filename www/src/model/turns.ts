// Lets the page draw and listen between two slices of work. Knows nothing of the work.

/** The page's turns: `close` it when it is no longer needed. */
export class Turns {
  readonly #channel = new MessageChannel();
  readonly #waiting: (() => void)[] = [];
  #wake: (() => void) | null = null;

  constructor() {
    this.#channel.port1.onmessage = () => this.#waiting.shift()?.();
  }

  /** Resolves when the page had a turn: sooner than by a timer, which browsers hold back. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#channel.port2.postMessage(null);
    });
  }

  /** Resolves with the next `wake`, or after so many milliseconds. */
  sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Ends a `sleep`. */
  wake(): void {
    this.#wake?.();
    this.#wake = null;
  }

  close(): void {
    this.wake();
    this.#channel.port1.close();
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
