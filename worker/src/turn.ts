// What comes within one turn of the event loop, done as one event. Knows no MQTT.

import { doAll } from './tasks.js';

/**
 * A task that comes alone is done at once. Those that come before the turn is over are done together after it: what they write
 * is one commit, and what they send to a socket is one message. One that fails keeps none of the others from being done. When
 * nothing comes nothing is pending.
 */
export class Turn {
  readonly #together: (task: () => void) => void;
  #tasks: (() => void)[] | undefined;
  /** How much waits: tasks, and what they have more to do. */
  #count = 0;

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
    this.#tasks.push(task);
    this.add();
  }

  /** A task that waits has more to do. */
  add(): void {
    this.#count += 1;
    // The platform lets no timer ring while messages come without a pause.
    if (this.#tasks && this.#count >= MOST) this.#doAll(this.#tasks.splice(0));
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
    this.#count = 0;
    if (tasks.length > 1) this.#together(() => doAll(tasks));
    else tasks[0]?.();
  }
}

/** More is not put off together. */
const MOST = 256;
