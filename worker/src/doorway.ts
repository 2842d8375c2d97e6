// Lets those in who come at the same time one after the other, so that those who are in are heard meanwhile; few at a time where they
// say nothing. Knows no MQTT.

export class Doorway {
  readonly #waiting: (() => void)[] = [];
  #isFree = true;
  #hasHeard = false;
  #heardAt = Number.NEGATIVE_INFINITY;
  /** How many more may come in beside the last. */
  #room = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  /** When the next one may come in. */
  #due = 0;

  /** Somebody speaks who has been in for a while. */
  heard(): void {
    this.#hasHeard = true;
    this.#heardAt = Date.now();
    this.#room = 0;
    // Where messages come without a pause no timer rings.
    if (this.#waiting.length > 0 && Date.now() >= this.#due + PAUSE) this.#next();
  }

  /** Resolves when it is the caller's turn, with false at once when too many wait for theirs. */
  async pass(): Promise<boolean> {
    if (this.#waiting.length >= MOST_WAITING) return false;
    if (this.#isFree) this.#close();
    else if (this.#room > 0) this.#room -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return true;
  }

  #close(): void {
    this.#isFree = false;
    // To come in takes the room a millisecond or two, and a timer half of one.
    const isQuiet = Date.now() - this.#heardAt > QUIET;
    const pause = this.#hasHeard || isQuiet ? PAUSE : 0;
    this.#room = isQuiet ? MOST_TOGETHER - 1 : 0;
    this.#hasHeard = false;
    this.#due = Date.now() + pause;
    this.#timer = setTimeout(() => this.#next(), pause);
  }

  #next(): void {
    clearTimeout(this.#timer);
    let next = this.#waiting.shift();
    if (!next) return void (this.#isFree = true);
    this.#close();
    next();
    for (; this.#room > 0 && (next = this.#waiting.shift()); this.#room -= 1) next();
  }
}

/** Milliseconds from one to the next while others speak; while nobody does, from some to the next. */
const PAUSE = 4;
const MOST_TOGETHER = 8;
/** Milliseconds without a word. */
const QUIET = 100;
const MOST_WAITING = 2_000;
