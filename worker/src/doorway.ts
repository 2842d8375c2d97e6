// Lets those in who come at the same time one after the other, so that those who are in are heard meanwhile. Knows no MQTT.

export class Doorway {
  readonly #waiting: (() => void)[] = [];
  #isFree = true;
  #hasHeard = false;
  #timer: ReturnType<typeof setTimeout> | null = null;
  /** When the next one may come in. */
  #due = 0;

  /** Somebody speaks who has been in for a while. */
  heard(): void {
    this.#hasHeard = true;
    // Where messages come without a pause no timer rings.
    if (this.#waiting.length > 0 && Date.now() >= this.#due + PAUSE) this.#next();
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
    this.#due = Date.now() + pause;
    this.#timer = setTimeout(() => this.#next(), pause);
  }

  #next(): void {
    clearTimeout(this.#timer);
    const next = this.#waiting.shift();
    if (!next) return void (this.#isFree = true);
    this.#close();
    next();
  }
}

/** Milliseconds from one to the next while others speak. */
const PAUSE = 4;
const MOST_WAITING = 2_000;
