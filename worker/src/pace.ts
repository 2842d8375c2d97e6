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

  /** Of messages to one peer: so often hardly anybody is sent something who waits for each answer. */
  static ofPeer(): Pace {
    return new Pace(14);
  }

  /** Of messages to all peers: to send them takes a fourth of the time, or more. */
  static ofAll(): Pace {
    return new Pace(100);
  }

  /** Tells whether it happened often of late. */
  isOften(now: number): boolean {
    if (now - this.#begin >= WINDOW) {
      this.#isOften = this.#count * WINDOW >= this.#many * (now - this.#begin);
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

/** What is done later, all together, and each but once. */
export class Batch {
  readonly #later: (run: () => void) => void;
  readonly #tasks = new Set<() => void>();

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
    const isFirst = this.#tasks.size === 0;
    this.#tasks.add(task);
    if (!isFirst) return;
    this.#later(() => {
      const tasks = [...this.#tasks];
      this.#tasks.clear();
      doAll(tasks);
    });
  }
}

/** Milliseconds. */
const WINDOW = 20;
/** Milliseconds: to send costs more than what is sent. */
const DELAY = 40;
