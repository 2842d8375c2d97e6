// Who is sent so much that it goes out in fewer, larger messages. Knows no MQTT.

import { doAll } from './tasks.js';

/** How often one peer was sent a message by itself of late. */
export class Pace {
  #begin = 0;
  #count = 0;
  #isBusy = false;

  /** Counts one more, which may be joined to one that waits; tells whether there were many of late, or would have been. */
  isBusy(now: number, isJoined: boolean): boolean {
    if (now - this.#begin >= WINDOW) {
      this.#isBusy = this.#count >= MANY && now - this.#begin < 2 * WINDOW;
      this.#begin = now;
      this.#count = 0;
    }
    // To whom there is much to say at a time, in few messages, they cost little as it is.
    if (this.#isBusy || !isJoined) this.#count += 1;
    return this.#isBusy;
  }
}

/** What is done later, all together. */
export class Batch {
  readonly #later: (run: () => void) => void;
  #tasks: (() => void)[] = [];

  constructor(later: (run: () => void) => void) {
    this.#later = later;
  }

  /** When what happens now is over. To the platform a promise costs less than `queueMicrotask`, and leaves less to collect. */
  static soon(): Batch {
    return new Batch((run) => void Promise.resolve().then(run));
  }

  /** In a few milliseconds. */
  static late(): Batch {
    return new Batch((run) => setTimeout(run, DELAY));
  }

  add(task: () => void): void {
    if (this.#tasks.push(task) > 1) return;
    this.#later(() => doAll(this.#tasks.splice(0)));
  }
}

/** Milliseconds in which this many are many: so often no client is sent something that waits for each answer. */
const WINDOW = 20;
const MANY = 10;
/** Milliseconds: to send costs more than what is sent. */
const DELAY = 20;
