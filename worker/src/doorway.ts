// Lets those in who come at the same time one after the other, so that those who are in are heard meanwhile. Knows no MQTT.

export class Doorway {
  readonly #waiting: (() => void)[] = [];
  #isFree = true;
  #hasHeard = false;

  /** Somebody speaks who has been in for a while. */
  heard(): void {
    this.#hasHeard = true;
  }

  /** Resolves when it is the caller's turn, with false at once when too many wait for theirs. */
  async pass(): Promise<boolean> {
    if (this.#waiting.length >= MOST_WAITING) return false;
    if (this.#isFree) this.#close();
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return true;
  }

  #close(): void {
    this.#isFree = false;
    // To come in takes the room a millisecond or two.
    const pause = this.#hasHeard ? PAUSE : 0;
    this.#hasHeard = false;
    setTimeout(() => {
      const next = this.#waiting.shift();
      if (!next) return void (this.#isFree = true);
      this.#close();
      next();
    }, pause);
  }
}

/** Milliseconds from one to the next while others speak. */
const PAUSE = 4;
const MOST_WAITING = 2_000;
