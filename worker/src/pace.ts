// Who is sent so much that it goes out in fewer, larger messages. Knows no MQTT.

/** How often something was sent to one peer of late. */
export class Pace {
  #begin = 0;
  #count = 0;
  #isBusy = false;

  /** Counts one more; tells whether there were many of late. */
  isBusy(now: number): boolean {
    if (now - this.#begin >= WINDOW) {
      this.#isBusy = this.#count >= MANY && now - this.#begin < 2 * WINDOW;
      this.#begin = now;
      this.#count = 0;
    }
    this.#count += 1;
    return this.#isBusy;
  }
}

/** What waits a few milliseconds, all with one timer. */
export class Batch {
  #tasks: (() => void)[] = [];

  add(task: () => void): void {
    if (this.#tasks.push(task) > 1) return;
    setTimeout(() => {
      for (const each of this.#tasks.splice(0)) each();
    }, DELAY);
  }
}

/** Milliseconds in which this many are many: so much no client is sent that waits for each answer. */
const WINDOW = 20;
const MANY = 20;
/** Milliseconds: to send costs more than what is sent. */
const DELAY = 5;
