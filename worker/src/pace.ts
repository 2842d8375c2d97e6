// Who is sent so much that it goes out in fewer, larger messages. Knows no MQTT.

import { doAll } from './tasks.js';

/** How often something happened of late. */
export class Pace {
  readonly #many: number;
  #begin = 0;
  #count = 0;
  #isOften = false;

  /** `many` in 20 ms are many. */
  constructor(many: number) {
    this.#many = many;
  }

  /** Of messages to one peer: so often nobody is sent something who waits for each answer. */
  static ofPeer(): Pace {
    return new Pace(10);
  }

  /** Of messages to all peers: to send them takes a fourth of the time, or more. */
  static ofAll(): Pace {
    return new Pace(100);
  }

  /** Tells whether it happened often of late. */
  isOften(now: number): boolean {
    if (now - this.#begin >= WINDOW) {
      this.#isOften = this.#count >= this.#many && now - this.#begin < 2 * WINDOW;
      this.#begin = now;
      this.#count = 0;
    }
    return this.#isOften;
  }

  /** It happens, at the time that was told last. */
  add(): void {
    this.#count += 1;
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

  /** In some milliseconds. */
  static late(): Batch {
    return new Batch((run) => setTimeout(run, DELAY));
  }

  add(task: () => void): void {
    if (this.#tasks.push(task) > 1) return;
    this.#later(() => doAll(this.#tasks.splice(0)));
  }
}

/** Milliseconds. */
const WINDOW = 20;
/** Milliseconds: to send costs more than what is sent. */
const DELAY = 40;
