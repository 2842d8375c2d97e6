// What comes within one turn of the event loop, done as one event. Knows no MQTT.

/**
 * A task that comes alone is done at once. Those that come before the turn is over are done together after it: what they write
 * is one commit, and what they send to a socket is one message. When nothing comes nothing is pending.
 */
export class Turn {
  readonly #together: (task: () => void) => void;
  #tasks: (() => void)[] | undefined;

  /** `together` does what it is given, as one. */
  constructor(together: (task: () => void) => void) {
    this.#together = together;
  }

  /** Does `task`, after those that came before it. */
  do(task: () => void): void {
    if (!this.#tasks) {
      this.#begin();
      return task();
    }
    // The platform lets no timer ring while messages come without a pause.
    if (this.#tasks.push(task) === MOST_TASKS) this.#doAll(this.#tasks.splice(0));
  }

  #begin(): void {
    this.#tasks = [];
    // Without its 0 it would be a millisecond.
    setTimeout(() => this.#end(), 0);
  }

  #end(): void {
    const tasks = this.#tasks ?? [];
    if (tasks.length > 0) this.#begin();
    else this.#tasks = undefined;
    this.#doAll(tasks);
  }

  #doAll(tasks: (() => void)[]): void {
    if (tasks.length > 1) this.#together(() => tasks.forEach((task) => task()));
    else tasks[0]?.();
  }
}

/** More are not put off together. */
const MOST_TASKS = 128;
