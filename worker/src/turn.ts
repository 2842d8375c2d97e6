// What comes within one turn of the event loop, done as one event. Knows no MQTT.

/**
 * A task that comes alone is done at once. Those that come before the turn is over are done together after it: what they write
 * is one commit, and what they send to a socket is one message. When nothing comes nothing is pending.
 */
export class Turn {
  #tasks: (() => void)[] | undefined;

  /** Does `task`, after those that came before it. */
  do(task: () => void): void {
    if (this.#tasks) {
      this.#tasks.push(task);
      return;
    }
    this.#begin();
    task();
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
    for (const task of tasks) task();
  }
}
