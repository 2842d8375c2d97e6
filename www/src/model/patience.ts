// Waiting for what is about to happen: it can be stopped, and it ends when nothing comes. Knows nothing of what is waited for.

/** All that one run waits for. */
export class Patience {
  readonly #stop = new AbortController();

  /** Ends all waiting, also what begins later. */
  stop(why: string): void {
    this.#stop.abort(new Error(why));
  }

  /** What the promise comes to, or the rejection that it was stopped. */
  race<T>(promise: Promise<T>): Promise<T> {
    const { signal: stopped } = this.#stop;
    return new Promise((resolve, reject) => {
      const stop = (): void => reject(stopped.reason);
      if (stopped.aborted) stop();
      stopped.addEventListener('abort', stop, { once: true });
      promise.then(resolve, reject).finally(() => stopped.removeEventListener('abort', stop));
    });
  }

  pause(milliseconds: number): Promise<void> {
    return this.race(new Promise((resolve) => setTimeout(resolve, milliseconds)));
  }

  /** Waits until it is so; rejects when that takes far too long. */
  async until(isSo: () => boolean): Promise<void> {
    const end = performance.now() + PATIENCE;
    while (!isSo()) {
      if (performance.now() > end) throw new Error('What was expected did not come.');
      await this.pause(LOOK);
    }
  }
}

/** Milliseconds. */
const LOOK = 20;
const PATIENCE = 20_000;
